"""The vector store. It can always be rebuilt from catalog and storage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from biblio.domain.search import EVERYWHERE, Scope
from biblio.ports.embedder import Vector
from biblio.ports.engine import Engine


@dataclass(frozen=True)
class VectorRecord:
    """The specification's schema: `id` (UUID), `values`, `metadata` {start, end, text}; and whose it is."""

    id: str
    values: Vector
    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Owner:
    """Whom a batch of vectors belongs to: user, video, and the generation of the video's index."""

    user_id: str
    video_id: str
    generation: int


@dataclass(frozen=True)
class Near:
    """`similarity` is the cosine, -1 to 1."""

    id: str
    video_id: str
    generation: int
    similarity: float


class VectorStore(Engine, Protocol):
    """- what was upserted is found, nearest first
    - upserting the same ids twice leaves one of each
    - a user never finds another user's vectors
    - a search in a scope finds only what is in it
    - a small user gets all their hits beside a large one
    - the similarity of known vectors is told, nothing of unknown ones
    - vectors of two spaces are never compared, and are removed together
    - removing a generation leaves the others
    - removing a video removes all its generations, and may be repeated
    - a vector of the wrong dimension is rejected
    - every owner of vectors is named
    """

    def upsert(self, owner: Owner, records: Sequence[VectorRecord]) -> None:
        """Write in bulk. Raises `Rejected`, `Unavailable`; after a failure any part may have been written."""

    def search(self, user_id: str, question: Vector, *, limit: int, scope: Scope = EVERYWHERE) -> list[Near]: ...

    def similarities(self, user_id: str, question: Vector, ids: Sequence[str]) -> dict[str, float]:
        """The cosine of each of these vectors that is there."""

    def remove(self, user_id: str, video_id: str, *, generation: int | None = None) -> None:
        """Remove one generation, or all of a video's."""

    def ids(self, user_id: str, video_id: str) -> dict[int, list[str]]:
        """What the store really holds of a video: ids by generation."""

    def owners(self) -> Iterator[Owner]:
        """Everybody who has vectors here, each once, in any order."""
