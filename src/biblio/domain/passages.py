"""Passages: what is embedded and found. Each is one sentence, so that whoever finds it lands where it begins.

A sentence alone says little: 'that is why it vanishes'. So what stands around it counts too, in words and in meaning.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import sqrt

from biblio.domain.transcript import Sentence, Word

SCHEME = "sentences-1"
"""How text is cut and mixed. Vectors of two schemes are never compared."""

AROUND = 20.0
"""Seconds before and after a sentence whose meaning is mixed into its vector."""

NAMESPACE = uuid.UUID("5e7b0c1e-3a52-5d0c-9a77-b1b110000001")

Vector = Sequence[float]


@dataclass(frozen=True)
class Passage:
    """`position` counts from 0 within one video; times in seconds."""

    position: int
    start: float
    end: float
    text: str
    words: tuple[Word, ...] = field(default=(), compare=False, repr=False)


def passages_of(sentences: Sequence[Sentence]) -> tuple[Passage, ...]:
    return tuple(Passage(number, one.start, one.end, one.text, one.words) for number, one in enumerate(sentences))


def passage_id(video_id: str, generation: int, position: int) -> str:
    """The same for every attempt, so that writing twice leaves one."""
    return str(uuid.uuid5(NAMESPACE, f"{video_id}/{generation}/{position}"))


def in_context(passages: Sequence[Passage], vectors: Sequence[Vector]) -> Iterator[list[float]]:
    """Each sentence's vector, turned halfway towards the mean of those around it; all of unit length.

    The mean weighs by length: a short 'yes' says little about its surroundings. Each text is embedded once.
    """
    if not passages:
        return
    weighed = ([len(one.text) * value for value in vector] for one, vector in zip(passages, vectors, strict=True))
    sums = list(accumulate(weighed, _plus, initial=[0.0] * len(vectors[0])))
    for number, (first, end) in enumerate(_surroundings(passages)):
        around = _unit([high - low for high, low in zip(sums[end], sums[first], strict=True)])
        yield _unit(_plus(vectors[number], around))


def _surroundings(passages: Sequence[Passage]) -> Iterator[tuple[int, int]]:
    """[first, end) of what begins within AROUND seconds before each passage, or ends so soon after it."""
    first = end = 0
    for number, one in enumerate(passages):
        while one.start - passages[first].start > AROUND:
            first += 1
        end = max(end, number + 1)
        while end < len(passages) and passages[end].end - one.end <= AROUND:
            end += 1
        yield first, end


def _plus(left: Vector, right: Vector) -> list[float]:
    return [one + other for one, other in zip(left, right, strict=True)]


def _unit(vector: Vector) -> list[float]:
    length = sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]
