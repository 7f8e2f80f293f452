"""What embedders have in common, above all services: texts they take, calls of bounded size, unit vectors, tokens."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import hypot
from threading import Lock

from biblio.errors import Misconfigured, Unavailable
from biblio.ports.embedder import Vector

LONGEST_TEXT = 8_000
"""Bytes of UTF-8 of one text that count. No token has less than one byte, so no service finds it too long by tokens."""
NOTHING = "."
"""Stands for a text that says nothing: services refuse empty ones."""
REMEMBERED = 20_000
"""Texts whose tokens are kept: more than twelve hours of speech have."""

_PIECE = re.compile(
    r"(?P<letters>[A-Za-z]+)|(?P<blank>\s)|(?P<ascii>[!-~])|(?P<far>[\U00010000-\U0010ffff])|.", re.DOTALL
)


def taken(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` as a service takes it: whole characters, not empty, of `longest` bytes at most."""
    plain = text.encode("utf-8", "replace").replace(b"\x00", b" ")
    return plain[:longest].decode("utf-8", "ignore").strip() or NOTHING


def in_calls(texts: Sequence[str], most_texts: int, most_tokens: int) -> Iterator[list[str]]:
    """`texts` in their order, so many to a call that it is under both limits: a token has one byte at least."""
    batch: list[str] = []
    size = 0
    for text in texts:
        bytes_here = len(text.encode()) + 1
        if batch and (len(batch) == most_texts or size + bytes_here > most_tokens):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += bytes_here
    if batch:
        yield batch


def estimate(text: str) -> int:
    """Tokens of a text, rather too many than too few: three letters of ASCII or half another character each.

    No tokenizer of the services can be had without the network; bills are read from their answers where they tell.
    """
    costs = {"letters": 0, "blank": 0, "ascii": 1, "far": 3, None: 2}
    return sum(
        -(-len(piece[0]) // 3) if piece.lastgroup == "letters" else costs[piece.lastgroup]
        for piece in _PIECE.finditer(text)
    )


def unit_vectors(rows: Sequence[Sequence[float]], count: int, dimension: int, place: str) -> list[Vector]:
    """One for each text, of unit length. Raises `Unavailable` for half an answer, `Misconfigured` for another size."""
    if len(rows) != count or not all(rows):
        raise Unavailable(f"{place} answered {sum(map(bool, rows))} of {count} texts.")
    if wrong := next((len(row) for row in rows if len(row) != dimension), None):
        raise Misconfigured(f"{place} gives vectors of {wrong} numbers, and the address says dimension={dimension}.")
    return [_unit(row) for row in rows]


def _unit(row: Sequence[float]) -> list[float]:
    length = hypot(*row)
    return [value / length for value in row] if length else [1.0, *[0.0] * (len(row) - 1)]


class Bill:
    """What texts cost in tokens: as the service said where it did, else estimated. Safe for threads."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[bytes, int] = OrderedDict()
        self._lock = Lock()

    def note(self, texts: Sequence[str], tokens: int) -> None:
        """`tokens` of one call, shared out among its texts so that they add up."""
        ends = list(accumulate((estimate(text) for text in texts), initial=0))
        marks = [round(tokens * end / max(ends[-1], 1)) for end in ends]
        self.note_each(texts, [high - low for low, high in pairwise(marks)])

    def note_each(self, texts: Sequence[str], tokens: Sequence[int]) -> None:
        with self._lock:
            for text, count in zip(texts, tokens, strict=True):
                self._tokens[_digest(text)] = count
                self._tokens.move_to_end(_digest(text))
            while len(self._tokens) > REMEMBERED:
                self._tokens.popitem(last=False)

    def total(self, texts: Sequence[str]) -> int:
        with self._lock:
            known = [self._tokens.get(_digest(text)) for text in texts]
        return sum(estimate(text) if count is None else count for text, count in zip(texts, known, strict=True))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
