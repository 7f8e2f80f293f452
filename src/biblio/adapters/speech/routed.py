"""Several speech engines as one: who is asked first, under which rules, and who takes over."""

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from biblio.adapters.speech.routed_hearing import Hearing
from biblio.adapters.speech.routed_rules import Rules
from biblio.adapters.speech.routed_ways import Way, Wish, fitting, with_names
from biblio.adapters.speech.sound import length_of
from biblio.dsn import Dsn
from biblio.errors import AdapterError, InvalidInput, Unavailable
from biblio.ports.call import CallContext
from biblio.ports.speech import Heard, SpeechEngine

log = logging.getLogger(__name__)


def route(engines: Sequence[tuple[SpeechEngine, Dsn]]) -> "Routed":
    """Engines and the addresses that their rules stand in, in the order in which they are asked. Calls nothing.

    Raises `Misconfigured` for a rule there is none of, and for one that names what its engine doesn't have.
    """
    ways = [Way(engine.name, engine, dsn.read_rules(Rules)) for engine, dsn in engines]
    for way in ways:
        way.rules.check(way.name, way.engine)
    return Routed(with_names(ways, [dsn.host for _, dsn in engines]))


class Routed:
    """`engines` by the names that they have in the route."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self._ways = tuple(ways)
        self.name = ", ".join(way.name for way in ways)
        self.engines: Mapping[str, SpeechEngine] = {way.name: way.engine for way in ways}

    def check(self, language: str | None, model: str | None) -> None:
        fitting(self._ways, Wish(language, model))

    def model_name(self, model: str | None) -> str:
        """Of the first that takes it, whatever the language."""
        refused: list[InvalidInput] = []
        for way in self._ways:
            try:
                name = way.engine.model_name(model)
            except InvalidInput as error:
                refused.append(error)
                continue
            if way.rules.takes_model(way.engine, model):
                return name
        raise (
            refused[-1]
            if refused
            else InvalidInput(f"No speech engine is asked for the model '{model}'.", code="UNKNOWN_MODEL")
        )

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,
    ) -> Generator[Heard, None, None]:
        wish = Wish(language, model, may_be_detected=since > 0)
        fitting(self._ways, wish)
        return self._hear(audio, wish, since, call)

    def _hear(self, audio: Path, wish: Wish, since: float, call: CallContext | None) -> Generator[Heard, None, None]:
        if any(way.rules.max_minutes for way in self._ways):
            wish = replace(wish, seconds=length_of(audio))
        yield from Hearing(self._ways, wish, audio, since, call).run()

    def prepare(self) -> None:
        """Who is down now may be there when it is asked."""
        self._all(lambda engine: engine.prepare(), Unavailable)

    def ping(self) -> None:
        """That one answers is enough."""
        self._all(lambda engine: engine.ping(), AdapterError)

    def close(self) -> None:
        for way in self._ways:
            way.engine.close()

    def _all(self, act: Callable[[SpeechEngine], None], borne: type[AdapterError]) -> None:
        """Raises the first engine's error where none could."""
        failed: list[AdapterError] = []
        for way in self._ways:
            try:
                act(way.engine)
            except borne as error:
                log.warning("%s: %s (%s)", way.name, error, error.code)
                failed.append(error)
        if len(failed) == len(self._ways):
            raise failed[0]
