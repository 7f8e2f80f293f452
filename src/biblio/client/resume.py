"""Finding the upload of a file that was begun before: here or elsewhere, and never ended."""

import base64
import unicodedata
from dataclasses import dataclass
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
    """A file's bytes in brief. `size` in bytes; `sha256` (hex) of all of them, None where that takes too long."""

    size: int
    fingerprint: str
    sha256: str | None


ENDED_BADLY = frozenset({"CANCELED", "EXPIRED", "FAILED"})


def find_upload(client: "Client", contents: Contents, wish: Wish) -> tuple[str, UploadTarget | None] | None:
    """The id and target of an upload of the same bytes with the same wishes that nobody has completed; the newest of
    several. Without target: all had arrived when its client died, and the server went on without it."""
    for video in client.videos(acknowledged=False, fingerprint=contents.fingerprint):
        target = video.get("upload")
        if video["status"] in ENDED_BADLY or not _fits(video, contents, wish):
            continue
        if target is not None and _has_other_digest(target, contents.sha256):
            continue
        if client.video(video["video_id"])["options"] == wish.options:
            return video["video_id"], target
    return None


def _fits(video: VideoSummary, contents: Contents, wish: Wish) -> bool:
    same_title = wish.title is None or unicodedata.normalize("NFC", wish.title).strip() == video["title"]
    same_type = wish.mime_type in (None, video["mime_type"])
    return video["file_size"] == contents.size and same_title and same_type


def _has_other_digest(target: UploadTarget, sha256: str | None) -> bool:
    """A fingerprint knows samples only. An upload begun with the digest of other bytes would never end well."""
    if sha256 is None or target["method"] != "PUT":
        return False
    signed = {name.lower(): value for name, value in target["headers"].items()}.get("x-amz-checksum-sha256")
    return signed not in (None, base64.b64encode(bytes.fromhex(sha256)).decode())
