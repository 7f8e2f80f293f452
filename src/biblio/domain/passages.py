"""Passages: what is embedded and found. Whole sentences, long enough to mean something, short enough to land on."""

from collections.abc import Sequence
from dataclasses import dataclass

from biblio.domain.transcript import Sentence

SHORTEST = 15.0
LONGEST = 40.0
"""Seconds. A passage closes once it has SHORTEST, and takes no sentence that would carry it over LONGEST."""


@dataclass(frozen=True)
class Passage:
    """`position` counts from 0 within one video; times in seconds."""

    position: int
    start: float
    end: float
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


def passages_of(sentences: Sequence[Sentence]) -> tuple[Passage, ...]:
    """Cut sentences into passages overlapping by one sentence, so that what is said across a cut is findable."""
    passages: list[Passage] = []
    first = 0
    while first < len(sentences):
        last = _last_of(sentences, first)
        group = tuple(sentences[first : last + 1])
        passages.append(Passage(len(passages), group[0].start, group[-1].end, group))
        if last == len(sentences) - 1:
            break
        first = last if last > first else last + 1
    return tuple(passages)


def _last_of(sentences: Sequence[Sentence], first: int) -> int:
    """Index of the last sentence of the passage that begins with `first`."""
    start = sentences[first].start
    last = first
    while last + 1 < len(sentences):
        long_enough = sentences[last].end - start >= SHORTEST
        too_long = sentences[last + 1].end - start > LONGEST
        if (long_enough and last > first) or too_long:
            break
        last += 1
    return last
