"""The searchable text of the catalog, by generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from biblio.domain.passages import Passage
from biblio.domain.transcript import Transcript
from biblio.domain.video import Video


@dataclass(frozen=True)
class IndexedPassage:
    """`id` is derived from video, generation and position, and is the vector's id too."""

    id: str
    passage: Passage


class Passages(Protocol):
    """- a generation is seen by readers only after the switch
    - removing a generation leaves the others
    - a generation in which nothing is said is held and removed as any other
    - writing a generation again replaces it
    """

    def write(self, video: Video, passages: Sequence[IndexedPassage]) -> None:
        """Write a generation in bulk, replacing what an earlier attempt left of it."""

    def switch(self, video: Video, transcript: Transcript) -> None:
        """Let readers see `video.generation`, with its script and meta_info."""

    def remove(self, video_id: str, *, generation: int) -> None:
        """Remove one generation of a video."""

    def ids(self, video_id: str) -> dict[int, list[str]]:
        """What the catalog holds of a video: passage ids by generation, none where nothing is said in one."""
