"""A video as the catalog knows it, and the job message that names one."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from biblio.domain.flow import Status, Step
from biblio.errors import InvalidInput

# File name endings that are taken, and the MIME type assumed where the client sends none. The first four are the
# specification's; the others a courtesy.
MIME_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "m4v": "video/x-m4v",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
}


@dataclass(frozen=True)
class Options:
    """What the user asked for: `language` as ISO 639-1 (None: detect), `model` as `fast`, `high_quality` or a name."""

    language: str | None = None
    model: str | None = None

    def as_json(self) -> dict[str, str]:
        pairs = {"language": self.language, "model": self.model}
        return {name: value for name, value in pairs.items() if value is not None}


@dataclass(frozen=True)
class Failure:
    """Why a video failed: the step, a `code` for programs, a sentence for people."""

    step: Step
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"step": self.step, "code": self.code, "message": self.message}


@dataclass(frozen=True)
class Video:
    """`generation` counts the times the video was put on the road; readers see `indexed_generation` (None: none yet).

    `key` is where its original lies in storage.

    `part_size` is in bytes; None where the file comes by one PUT. `sha256` (hex, of the whole file) and `fingerprint`
    are as the client declared them. `acknowledged`: the client has said, or heard, that all of it arrived. `poster`
    counts its pictures; None without one.
    """

    id: str
    user_id: str
    title: str
    file_name: str
    file_size: int
    mime_type: str
    key: str
    status: Status
    options: Options
    created_at: datetime
    updated_at: datetime
    generation: int = 1
    progress: int = 0
    step: Step | None = None
    failure: Failure | None = None
    etag: str | None = None
    part_size: int | None = None
    sha256: str | None = None
    fingerprint: str | None = None
    acknowledged: bool = False
    duration: float | None = None
    language: str | None = None
    poster: int | None = None
    meta_info: dict[str, Any] = field(default_factory=dict)
    indexed_generation: int | None = None

    @property
    def has_arrived(self) -> bool:
        """Its bytes were seen and pinned. What is CANCELED or EXPIRED without has none, and never will."""
        return self.etag is not None

    @property
    def upload_has_ended(self) -> bool:
        """Ended by its user or by time, before all of it was there."""
        return self.status in (Status.CANCELED, Status.EXPIRED) and not self.has_arrived


TASK_TYPES = {Step.DELETE: "deletion", Step.CLEANUP: "cleanup"}
"""What is asked of a worker, where it is not the specification's "ingestion"."""


@dataclass(frozen=True)
class Job:
    """A step to be done for a video. It names the video and nothing heavier."""

    step: Step
    video_id: str
    user_id: str
    bucket: str
    key: str
    options: Options

    def as_message(self) -> dict[str, Any]:
        """The specification's queue message (step 2), field for field."""
        return {
            "task_type": TASK_TYPES.get(self.step, "ingestion"),
            "payload": {
                "video_id": self.video_id,
                "user_id": self.user_id,
                "bucket": self.bucket,
                "key": self.key,
                "options": self.options.as_json(),
            },
        }


def job_of(video: Video, step: Step, bucket: str = "") -> Job:
    return Job(step, video.id, video.user_id, bucket, video.key, video.options)


def extension_of(file_name: str) -> str:
    """The lower-case ending of a file name without its dot; raises `InvalidInput` for one that is not taken."""
    ending = PurePosixPath(file_name.replace("\\", "/")).suffix.lower().removeprefix(".")
    if ending not in MIME_TYPES:
        known = ", ".join("." + name for name in MIME_TYPES)
        raise InvalidInput(
            f"Files ending in '.{ending}' are not taken. Accepted: {known}."
            if ending
            else f"The file name has no ending. Accepted: {known}.",
            code="UNSUPPORTED_FORMAT",
        )
    return ending


def title_of(file_name: str) -> str:
    """A title for people, made of a file name: without folders and ending."""
    name = PurePosixPath(file_name.replace("\\", "/")).name
    return PurePosixPath(name).stem.strip() or name
