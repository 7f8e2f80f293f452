"""Vectors that mean something, for emulators of embedders: those of the encoder of a laptop, made as long as asked."""

import re
from collections.abc import Sequence
from functools import cache
from math import sqrt

from biblio.adapters.embedder.use import connect
from biblio.dsn import Dsn
from biblio.ports.embedder import Embedder

FULL = 3072
_SHARE = 0.8
_PIECE = re.compile(r"[A-Za-z]{1,4}|\d|[^\sA-Za-z\d]|\s{2,}")


def tokens_in(text: str) -> int:
    """A tokenizer of no model, but of the usual size of tokens."""
    return len(_PIECE.findall(text))


def meant(texts: Sequence[str], dimension: int) -> list[list[float]]:
    """Of unit length."""
    return [[*vector, *[0.0] * (dimension - len(vector))] for vector in _encoder().embed_documents(texts)]


def cut_off(texts: Sequence[str], dimension: int) -> list[list[float]]:
    """Of unit length only when whole (3072): a shorter one is cut off, as Gemini does it."""
    rest = sqrt(1 - _SHARE**2)
    return [[*(value * _SHARE for value in vector), rest][:dimension] for vector in meant(texts, FULL - 1)]


@cache
def _encoder() -> Embedder:
    return connect(Dsn.parse("use://"))
