"""What the API answers, named field for field as it is sent. Times in ISO 8601, positions and durations in seconds."""

from typing import Any, TypedDict

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
"""Statuses that nothing moves on from by itself."""


class Problem(TypedDict):
    """Why a video failed. `code` is for programs, `message` a sentence for people; `step` is None where none failed."""

    step: str | None
    code: str
    message: str


class Status(TypedDict):
    """`progress` is percent (0–100) of the whole road; `step` is extract, transcribe, embed, index or None."""

    video_id: str
    status: str
    progress: int
    step: str | None
    error: Problem | None
    updated_at: str


class VideoSummary(TypedDict):
    """`file_size` in bytes; `language` and `duration` are None until they are known."""

    video_id: str
    title: str
    file_name: str
    file_size: int
    mime_type: str
    status: str
    progress: int
    step: str | None
    error: Problem | None
    language: str | None
    duration: float | None
    created_at: str
    updated_at: str


class Video(VideoSummary):
    script: dict[str, Any] | None
    meta_info: dict[str, Any]
    options: dict[str, str]


class UploadTarget(TypedDict):
    """Where to send the bytes. The URL is a secret until `expires_at`; `headers` are signed and go along unchanged."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: str


class Created(TypedDict):
    video_id: str
    status: str
    upload: UploadTarget


class Accepted(TypedDict):
    message: str
    video_id: str
    status: str
    check_status_url: str


class SignedUrl(TypedDict):
    url: str
    expires_at: str


class Media(TypedDict):
    """`audio` is None until it has been extracted."""

    video: SignedUrl
    audio: SignedUrl | None


class Moment(TypedDict):
    """`highlights` are [from, to) character offsets into `text`."""

    start_time: float
    end_time: float
    text: str
    highlights: list[tuple[int, int]]
    score: float


class Found(TypedDict):
    """A video and its moments, best first."""

    video_id: str
    title: str
    moments: list[Moment]


class SearchAnswer(TypedDict):
    query: str
    took_ms: float
    results: list[Found]
