"""The videos of the catalog."""

from dataclasses import dataclass
from typing import Any, Protocol

from biblio.domain.flow import Status
from biblio.domain.transcript import Sentence
from biblio.domain.video import Video


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of the page after this one; None on the last."""

    videos: tuple[Video, ...]
    next: str | None


class Videos(Protocol):
    """- a video reads back as it was added
    - a user never reads another user's video
    - a video being deleted is hidden from its user
    - a list goes newest first, page by page, each video once
    - a move happens only from the stated status
    - the script and its segments belong to the generation that readers see
    """

    def add(self, video: Video) -> None: ...

    def get(self, video_id: str, *, user_id: str | None = None) -> Video:
        """One video; with `user_id`, only if it is theirs and not being deleted. Raises `NotFound`."""

    def page(self, user_id: str, *, limit: int, cursor: str | None = None, status: Status | None = None) -> Page:
        """Raises `InvalidInput` for a cursor that this catalog never gave."""

    def move(self, video_id: str, source: Status | None, target: Status, **changes: Any) -> bool:
        """The guarded update: True when the video was in `source` (any status when None) and is now in `target`.

        `changes` are further fields of `Video` to set with it.
        """

    def rename(self, video_id: str, title: str) -> None: ...

    def transcript(self, video_id: str) -> tuple[str, tuple[Sentence, ...]]:
        """The script and its segments in order; empty until the video is indexed."""
