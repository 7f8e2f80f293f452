"""Pieces that are heard side by side: joined in order, and paid for once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from biblio.adapters.speech.pieces import Piece, Recognised, hear
from biblio.domain.transcript import Word
from biblio.errors import RateLimited, Rejected
from biblio.ports.call import CallContext, Unpaced
from tests.contracts.speech import Spoken


@dataclass
class Counting:
    """Hears one word a piece, and raises `error` once, at the piece that begins where `at` says."""

    error: Exception | None = None
    at: int = 1
    longest: int = 10
    parallel: int = 3
    calls: Counter[float] = field(default_factory=Counter)
    others: Event = field(default_factory=Event)

    def recognise(
        self,
        piece: Piece,
        language: str | None,
        model: str,
        call: CallContext,
        on_progress: Callable[[float], None],
    ) -> Recognised:
        self.calls[piece.start] += 1
        number = len(self.calls) - 1
        if number == self.at and self.error is not None:
            error, self.error = self.error, None
            self.others.wait(10)
            raise error
        if number > self.at:
            self.others.set()
        return Recognised((Word(f" {piece.start:.1f}", 0.1, 0.5),), "en")


def starts(service: Counting, audio: Path, call: CallContext, since: float = 0.0) -> list[str]:
    return [word.text for one in hear(service, audio, "en", "m", since, call) for word in one.words]


def test_what_was_heard_behind_a_piece_that_must_be_tried_again_is_not_paid_for_again(english: Spoken) -> None:
    whole = starts(Counting(), english.audio, Unpaced())
    assert len(whole) >= 4
    call, service, first = Unpaced(), Counting(RateLimited("Later.")), list[str]()
    until = 0.0
    with pytest.raises(RateLimited):
        for one in hear(service, english.audio, "en", "m", 0.0, call):
            first += [word.text for word in one.words]
            until = one.until if one.ends_piece else until
    rest = starts(service, english.audio, call, until)
    assert first + rest == whole
    assert sorted(service.calls.values()) == [1] * (len(whole) - 1) + [2], "only the piece that failed"


def test_what_cannot_be_tried_again_is_told_at_once(english: Spoken) -> None:
    call = Unpaced()
    with pytest.raises(Rejected):
        starts(Counting(Rejected("No.")), english.audio, call)


def test_answers_behind_the_last_piece_that_was_wanted_are_not_paid_for_again(english: Spoken) -> None:
    whole = starts(Counting(), english.audio, Unpaced())
    call, service = Unpaced(), Counting()
    rest = hear(service, english.audio, "en", "m", 0.0, call)
    first = next(one for one in rest if one.ends_piece and one.words)
    rest.close()
    assert len(service.calls) == 3
    assert [word.text for word in first.words] + starts(service, english.audio, call, first.until) == whole
    assert set(service.calls.values()) == {1}
