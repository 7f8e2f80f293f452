"""The videos of the catalog."""

from dataclasses import dataclass
from typing import Any, Protocol

from biblio.domain.flow import Status
from biblio.domain.listing import ALL, Chosen, Sort
from biblio.domain.transcript import Sentence
from biblio.domain.video import Video


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of the page after this one; None on the last. `total`: how many there are on all pages."""

    videos: tuple[Video, ...]
    next: str | None
    total: int | None = None


class Videos(Protocol):
    """- a video reads back as it was added
    - a user never reads another user's video
    - a video being deleted is hidden from its user
    - a list goes newest first, page by page, each video once
    - a list goes in any order that is asked for, page by page, each video once
    - a list holds what is chosen and no other
    - a list counts all that is chosen when asked
    - an update happens only in the stated status
    - a locked video waits for its transaction
    - a forgotten video leaves a receipt and nothing else
    - the script and its segments belong to the generation that readers see
    """

    def add(self, video: Video) -> None:
        """Raises `Conflict` when there is one of this id already, `InvalidInput` for a user who is not there."""

    def get(self, video_id: str, *, user_id: str | None = None, lock: bool = False) -> Video:
        """One video; with `user_id`, only if it is theirs and not being deleted. Raises `NotFound`.

        With `lock`, nobody else changes it until the transaction ends.
        """

    def page(
        self,
        user_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        sort: Sort = Sort.NEWEST,
        chosen: Chosen = ALL,
        count: bool = False,
    ) -> Page:
        """Raises `InvalidInput` for a cursor that this catalog never gave, or gave for another order.

        `total` is counted only with `count`.
        """

    def update(self, video_id: str, *, when: Status | None = None, **changes: Any) -> bool:
        """The guarded update: set fields of `Video`, but only if the video is in status `when` (any when None).

        Whether it was.
        """

    def transcript(self, video_id: str, *, words: bool = False) -> tuple[str, tuple[Sentence, ...]]:
        """The script and its sentences in order, with their `words` if wanted; empty until the video is indexed."""

    def forget(self, video: Video, receipt: dict[str, Any]) -> dict[str, int]:
        """Remove the video with all that hangs on it; how many rows, by table. They go into the kept receipt too."""
