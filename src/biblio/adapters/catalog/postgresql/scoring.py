"""BM25 over passages with what is said around them. Source: https://en.wikipedia.org/wiki/Okapi_BM25

Divided by what a text with all words would get, so that a score says how much of the question is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biblio.adapters.catalog.postgresql.blocks import AROUND, OWN
from biblio.domain.words import is_syllabic

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SATURATION_OF_PAIRS, SATURATION_OF_WORDS = 0.2, 1.2
"""BM25's k1. That a pair of syllables is there says nearly all; how often, little."""
LENGTH = 0.75
"""BM25's b."""
ITSELF = 0.3
"""What the passage itself counts beside itself with its surroundings."""

_ELEMENT = np.dtype([("length", ">i4"), ("value", ">i4")])
_HEADER = 20
"""Bytes before the elements of an array of one dimension in PostgreSQL's binary form (array_send)."""


@dataclass(frozen=True)
class Place:
    video_id: str
    generation: int
    position: int


class Blocks:
    """Rows of `finder.BLOCK` side by side, one after the other; `matrix` has a row for each passage, own or not."""

    def __init__(self, rows: Sequence[Any], keys: Sequence[int]) -> None:
        self._rows = rows
        self._keys = keys
        self._starts, self._sizes = _joined([row.starts for row in rows])
        self._firsts = np.cumsum(self._sizes) - self._sizes
        self._block = np.repeat(np.arange(len(rows)), self._sizes)
        self.counts, _ = _joined([row.counts for row in rows])
        self._terms, _ = _joined([row.terms for row in rows])

    @cached_property
    def matrix(self) -> NDArray[np.bool_]:
        """Which passage (row) says which key (column)."""
        return self._said(self._terms, self.counts)

    @cached_property
    def own(self) -> NDArray[np.bool_]:
        """Which of the passages are a block's own; each is in one block only."""
        offset = np.arange(len(self._block)) - self._firsts[self._block]
        before, own = (np.array([getattr(row, name) for row in self._rows]) for name in ("before", "own"))
        mine: NDArray[np.bool_] = (offset >= before[self._block]) & (offset < (before + own)[self._block])
        return mine

    @cached_property
    def around(self) -> tuple[Ints, Ints]:
        """[first, end) of what stands around each passage, never beyond its block."""
        line = self._block * np.int64(2**40) + self._starts
        return np.searchsorted(line, line - AROUND), np.searchsorted(line, line + AROUND, side="right")

    @cached_property
    def titles(self) -> NDArray[np.bool_]:
        """Which block's title says which key."""
        return self._said(*_joined([row.title_terms for row in self._rows]))

    def place(self, passage: int) -> Place:
        block = int(self._block[passage])
        row = self._rows[block]
        offset = passage - int(self._firsts[block])
        return Place(row.video_id, row.generation, row.number * OWN + offset - row.before)

    def scores(self, rarity: Floats, saturation: Floats, usual_length: float) -> Floats:
        """Of every passage, by the rarity (inverse document frequency) of each key."""
        first, end = self.around
        sums = np.vstack([np.zeros(len(self._keys)), np.cumsum(self.matrix, axis=0)])
        often = sums[end] - sums[first] + self.titles[self._block]
        lengths = np.concatenate([[0], np.cumsum(self.counts)])
        length = 1 - LENGTH + LENGTH * (lengths[end] - lengths[first]) / usual_length
        weighed = often * (saturation + 1) / (often + saturation * length[:, None])
        whole = rarity.sum() or 1.0
        scores: Floats = (ITSELF * (self.matrix @ rarity) + weighed @ rarity) / (1 + ITSELF) / whole
        return scores

    @property
    def usual_length(self) -> float:
        """Terms in and around a passage, on average."""
        first, end = self.around
        lengths = np.concatenate([[0], np.cumsum(self.counts)])
        return float((lengths[end] - lengths[first])[self.own].mean()) or 1.0

    def passage(self, place: Place) -> int | None:
        """The number of an own passage; None where its block is not here."""
        number, offset = divmod(place.position, OWN)
        block = self._numbers.get((place.video_id, place.generation, number))
        return None if block is None else int(self._firsts[block]) + self._rows[block].before + offset

    def _said(self, terms: Ints, counts: Ints) -> NDArray[np.bool_]:
        """Which text (row) holds which key (column), given so many terms of each text, one after the other."""
        order = np.argsort(np.array(self._keys))
        ordered = np.array(self._keys)[order]
        places = np.searchsorted(ordered, terms).clip(max=len(ordered) - 1)
        said = ordered[places] == terms
        text = np.repeat(np.arange(len(counts)), counts)
        found = np.zeros((len(counts), len(ordered)), dtype=bool)
        found[text[said], order[places[said]]] = True
        return found

    @cached_property
    def _numbers(self) -> dict[tuple[str, int, int], int]:
        return {(row.video_id, row.generation, row.number): index for index, row in enumerate(self._rows)}


def rarity_of(said: Floats, passages: float) -> Floats:
    """BM25's inverse document frequency: of keys that so many of all passages say."""
    rarity: Floats = np.log(1 + (np.maximum(passages - said, 0) + 0.5) / (said + 0.5))
    return rarity


def saturations_of(terms: Sequence[str]) -> Floats:
    pairs = np.array([is_syllabic(term) for term in terms], dtype=bool)
    return np.where(pairs, SATURATION_OF_PAIRS, SATURATION_OF_WORDS)


def _joined(arrays: Sequence[bytes]) -> tuple[Ints, Ints]:
    """The numbers of arrays as PostgreSQL sends them, one after the other, and how many each has."""
    elements = np.frombuffer(b"".join(one[_HEADER:] for one in arrays), dtype=_ELEMENT)
    sizes = np.array([max(0, len(one) - _HEADER) // _ELEMENT.itemsize for one in arrays], dtype=np.int64)
    return elements["value"].astype(np.int64), sizes
