"""BM25 over passages with what is said around them. Source: https://en.wikipedia.org/wiki/Okapi_BM25

Divided by what a text with all words would get, so that a score says how much of the question is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
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
NEXT, SOON = 0.7, 8_000
"""How much what only the next passage says counts as if it were said in this one, when that begins so many milliseconds
after it: an answer that takes two sentences begins with the first."""


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
        contents = [np.frombuffer(row.content, dtype="<i4") for row in rows]
        self._sizes = np.array([row.shown for row in rows], dtype=np.int64)
        self._firsts = np.cumsum(self._sizes) - self._sizes
        self._block = np.repeat(np.arange(len(rows)), self._sizes)
        parts = list(zip(contents, self._sizes, strict=True))
        self._starts = np.concatenate([one[:size] for one, size in parts]).astype(np.int64)
        self.counts = np.concatenate([one[size : 2 * size] for one, size in parts]).astype(np.int64)
        self._terms = np.concatenate([one[2 * size :] for one, size in parts])

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
        titles = [row.title_terms for row in self._rows]
        counts = np.array([len(one) for one in titles], dtype=np.int64)
        return self._said(np.array(list(chain(*titles)), dtype=np.int32), counts)

    def place(self, passage: int) -> Place:
        block = int(self._block[passage])
        row = self._rows[block]
        offset = passage - int(self._firsts[block])
        return Place(row.video_id, row.generation, row.number * OWN + offset - row.before)

    def scores(self, rarity: Floats, saturation: Floats, usual_length: float) -> Floats:
        """Of every passage of its own, by the rarity (inverse document frequency) of each key; 0 of the others."""
        own = np.flatnonzero(self.own)
        first, end = (edge[own] for edge in self.around)
        sums = np.zeros((len(self.matrix) + 1, len(self._keys)), dtype=np.float32)
        np.cumsum(self.matrix, axis=0, out=sums[1:])
        often = sums[end] - sums[first] + self.titles[self._block[own]]
        lengths = np.concatenate([[0], np.cumsum(self.counts)])
        length = 1 - LENGTH + LENGTH * (lengths[end] - lengths[first]) / usual_length
        weighed = often * (saturation + 1) / (often + saturation * length[:, None])
        itself = np.maximum(self.matrix[own], NEXT * self._next[own])
        whole = rarity.sum() or 1.0
        scores: Floats = np.zeros(len(self._block))
        scores[own] = (ITSELF * itself + weighed) @ rarity / (1 + ITSELF) / whole
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

    @property
    def _next(self) -> NDArray[np.bool_]:
        """Which passage is soon followed by one that says which key."""
        soon = (np.diff(self._block) == 0) & (np.diff(self._starts) <= SOON)
        following = np.zeros_like(self.matrix)
        following[:-1] = self.matrix[1:] & soon[:, None]
        return following

    def _said(self, terms: NDArray[np.int32], counts: Ints) -> NDArray[np.bool_]:
        """Which text (row) holds which key (column), given so many terms of each text, one after the other."""
        found = np.zeros((len(counts), len(self._keys)), dtype=bool)
        keys = np.array(self._keys, dtype=np.int32)
        # Most terms are none of the keys, which their lower half nearly always tells.
        low = np.zeros(2**16, dtype=bool)
        low[keys & 0xFFFF] = True
        likely = np.flatnonzero(low[terms & 0xFFFF])
        place, column = np.nonzero(terms[likely][:, None] == keys)
        text = np.repeat(np.arange(len(counts)), counts)
        found[text[likely[place]], column] = True
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
