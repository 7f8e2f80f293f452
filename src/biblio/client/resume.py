"""Finding the upload of a file that was begun before: here or elsewhere, and never ended."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from biblio.client.models import UploadTarget, VideoSummary

if TYPE_CHECKING:
    from biblio.client.client import Client


@dataclass(frozen=True)
class Wish:
    """What the uploader asked for beside the bytes; None: whatever the server thinks best."""

    mime_type: str | None = None
    title: str | None = None
    language: str | None = None
    model: str | None = None

    @property
    def options(self) -> dict[str, str]:
        wished = {"language": self.language, "model": self.model}
        return {name: value for name, value in wished.items() if value is not None}


@dataclass(frozen=True)
class Contents:
    """A file's bytes in brief. `size` in bytes; `sha256` (hex) of all of them, None where that takes too long;
    `changed_at`, when they last changed."""

    size: int
    fingerprint: str
    sha256: str | None
    changed_at: datetime


@dataclass(frozen=True)
class Found:
    """An upload that nobody has completed. Without `target`, all had arrived when its client died, and the server went
    on by itself. `is_certain`: the file is the one it was begun with; else it has changed, or was copied, since."""

    video_id: str
    target: UploadTarget | None
    is_certain: bool


ENDED_BADLY = frozenset({"CANCELED", "EXPIRED", "FAILED"})


def find_upload(client: "Client", contents: Contents, wish: Wish) -> Found | None:
    """An upload of the same bytes with the same wishes; the newest of several.

    A fingerprint knows samples only. What has arrived can't be compared any more, so it has to be certain.
    """
    for video in client.videos(acknowledged=False, fingerprint=contents.fingerprint):
        if video["status"] in ENDED_BADLY or not _fits(video, contents, wish):
            continue
        found = Found(video["video_id"], video.get("upload"), _is_certain(video, contents))
        if found.target is None and not found.is_certain:
            continue
        if client.video(found.video_id)["options"] == wish.options:
            return found
    return None


def _fits(video: VideoSummary, contents: Contents, wish: Wish) -> bool:
    same_title = wish.title is None or unicodedata.normalize("NFC", wish.title).strip() == video["title"]
    same_type = wish.mime_type in (None, video["mime_type"])
    same_bytes = video["file_size"] == contents.size and contents.sha256 in (None, video["sha256"] or contents.sha256)
    return same_title and same_type and same_bytes


def _is_certain(video: VideoSummary, contents: Contents) -> bool:
    if contents.sha256 is not None and video["sha256"] is not None:
        return contents.sha256 == video["sha256"]
    return contents.changed_at < datetime.fromisoformat(video["created_at"])
