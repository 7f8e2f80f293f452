"""One sound on its way through a route."""

import logging
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from biblio.adapters.speech.routed_call import OwnCall
from biblio.adapters.speech.routed_ways import Way, Wish, fitting
from biblio.domain.hearing import HeardBy
from biblio.domain.transcript import Word
from biblio.errors import InvalidInput, Misconfigured, RateLimited, Unavailable
from biblio.ports.call import CallContext
from biblio.ports.speech import Heard

log = logging.getLogger(__name__)

Failure = Unavailable | RateLimited | Misconfigured
FAILURES = (Unavailable, RateLimited, Misconfigured)
"""What another engine need not suffer from. A sound that was `Rejected` is not sent round."""
SOON = 60.0
"""Seconds after which an engine that is down is asked again, however far off the quota of another is."""


class Hearing:
    """Who has failed is not asked again for this sound. Who takes over begins where the last finished piece ended."""

    def __init__(self, ways: Sequence[Way], wish: Wish, audio: Path, since: float, call: CallContext | None) -> None:
        self._ways, self._wish, self._audio, self._call = ways, wish, audio, call
        self._until = self._shown = since
        self._failed: dict[str, Failure] = {}

    def run(self) -> Generator[Heard, None, None]:
        """Until the sound is heard, or nobody is left. What a failed engine had begun is not shown to be undone, unless
        the next one's piece ends before that."""
        while way := self._next():
            call = OwnCall(self._call, way.name) if self._call else None
            try:
                yield from self._heard(way, call)
                return
            except FAILURES as error:
                if call and call.has_raised(error):
                    raise
                self._failed[way.name] = error
                log.warning("%s fails at %.1f s of a sound: %s (%s)", way.name, self._until, error, error.code)
        raise self._outcome()

    def _next(self) -> Way | None:
        try:
            fit = fitting(self._ways, self._wish)
        except InvalidInput:
            if not self._failed:
                raise
            fit = []
        return next((way for way in fit if way.name not in self._failed), None)

    def _heard(self, way: Way, call: OwnCall | None) -> Generator[Heard, None, None]:
        """The words of a piece come all at once, when it is finished; until then only how far it is."""
        language, model, words = self._wish.language, self._wish.model, list[Word]()
        by = HeardBy(way.name, way.engine.model_name(model))
        rest = way.engine.transcribe(self._audio, language=language, model=model, since=self._until, call=call)
        with closing(rest):
            for heard in rest:
                words.extend(heard.words)
                if heard.ends_piece:
                    self._finish(heard)
                    yield replace(heard, words=tuple(words), by=by)
                    words.clear()
                else:
                    self._shown = max(self._shown, heard.until)
                    yield replace(heard, words=(), until=self._shown, by=by)

    def _finish(self, piece: Heard) -> None:
        self._until = piece.until
        if self._wish.language is None and piece.language:
            self._wish = replace(self._wish, language=piece.language, may_be_detected=True)

    def _outcome(self) -> Failure:
        """Where somebody's quota comes back, that is waited for; else for who is down; else nothing helps."""
        failures = list(self._failed.values())
        if len(failures) == 1:
            return failures[0]
        limited = [error for error in failures if isinstance(error, RateLimited)]
        down = [error for error in failures if isinstance(error, Unavailable)]
        told = "No speech engine can go on. " + " ".join(f"{name}: {one.message}" for name, one in self._failed.items())
        if limited:
            known = [error.retry_after for error in limited if error.retry_after is not None]
            soonest = min([*known, SOON] if down and known else known, default=None)
            return RateLimited(told, code=limited[0].code, retry_after=soonest)
        first = (down or failures)[0]
        return type(first)(told, code=first.code)
