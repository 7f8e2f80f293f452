"""The searchable text of the catalog, by generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from biblio.domain.passages import Passage
from biblio.domain.search import Hit
from biblio.domain.transcript import Transcript
from biblio.domain.video import Video


@dataclass(frozen=True)
class IndexedPassage:
    """`id` is derived from video, generation and position, and is the vector's id too."""

    id: str
    passage: Passage


class Passages(Protocol):
    """- a generation is seen by readers only after the switch
    - a Korean word is found with any particle behind it
    - a user never finds another user's passages
    - removing a generation leaves the others
    """

    def write(self, video: Video, transcript: Transcript, passages: Sequence[IndexedPassage]) -> None:
        """Write a generation in bulk, replacing what an earlier attempt left of it."""

    def switch(self, video: Video, transcript: Transcript) -> None:
        """Let readers see `video.generation`, with its script and meta_info."""

    def remove(self, video_id: str, *, generation: int) -> None:
        """Remove one generation of a video."""

    def by_terms(
        self, user_id: str, terms: Sequence[str], *, limit: int, video_ids: Sequence[str] | None = None
    ) -> list[Hit]:
        """Passages of visible generations that hold any of the terms, best first."""

    def by_ids(self, user_id: str, ids: Sequence[str]) -> dict[str, Hit]:
        """Those of the passages that are visible to this user."""

    def ids(self, video_id: str) -> dict[int, list[str]]:
        """What the catalog holds of a video: passage ids by generation."""
