"""What the catalog holds, for whoever compares the stores with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from biblio.domain.flow import Step
from biblio.domain.video import Video


@dataclass(frozen=True)
class Receipt:
    """What was removed with a video: `objects` (bytes by key), `uploads`, `vectors` and `rows` (how many, by
    generation and by table)."""

    video_id: str
    user_id: str
    deleted_at: datetime
    removed: dict[str, Any]


class Holdings(Protocol):
    """- every video is met once, page by page
    - a receipt is there after a video was forgotten
    - the keys that results and checkpoints name are known
    """

    def videos(self, *, after: str, limit: int) -> Sequence[Video]:
        """Videos by id, of all users, deleted ones being removed included; `after` is '' at first."""

    def receipt(self, video_id: str) -> Receipt | None: ...

    def named_keys(self, video: Video) -> set[str]:
        """Keys of objects that results or checkpoints of this and of the visible generation name."""

    def open_steps(self, video: Video) -> set[Step]:
        """Steps of this generation that are to be done, or are being done."""
