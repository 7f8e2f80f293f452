"""Text to vectors, for what is searched and for the question."""

from collections.abc import Sequence
from typing import Protocol

from biblio.ports.call import CallContext
from biblio.ports.engine import Engine

Vector = Sequence[float]


class Embedder(Engine, Protocol):
    """- vectors are of unit length and of the stated dimension
    - the order of vectors is the order of texts
    - no texts give no vectors
    - a Korean question lies nearer to its English answer than to other English sentences
    - any text is embedded: empty, very long, emoji
    - tokens are counted as the engine counts them
    """

    space: str
    """Names engine, model, revision and dimension. Vectors of two spaces are never compared."""

    dimension: int

    texts_at_once: int
    """Texts that go into one call of a service; more of them are several calls, and what fails is all of them."""

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:
        """A service makes each of its calls as `call` admits it."""

    def embed_question(self, text: str, *, call: CallContext | None = None) -> Vector: ...

    def count_tokens(self, texts: Sequence[str]) -> int:
        """How many tokens the engine takes in, and a service bills, for these documents."""
