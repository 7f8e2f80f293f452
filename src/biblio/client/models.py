"""What the API answers, named field for field as it is sent. Times in ISO 8601, positions and durations in seconds."""

from typing import Any, Literal, NotRequired, TypedDict

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
"""Statuses that nothing moves on from by itself."""


class Problem(TypedDict):
    """Why a video failed. `code` is for programs, `message` a sentence for people; `step` is None where none failed."""

    step: str | None
    code: str
    message: str


class State(TypedDict):
    """`progress` is percent (0–100) of the whole road; `step` is extract, transcribe, embed, index or None."""

    video_id: str
    status: str
    progress: int
    step: str | None
    error: Problem | None
    updated_at: str


class Status(State):
    """`seconds_left` of work, and `queue_position` from 1 while a worker is waited for; None: not known, or not so.
    `waiting_for` is "quota" while a paid service may not be asked yet.

    `kind` and `detail` are those of the newest event, where a live socket told it.
    """

    event_id: int
    seconds_left: float | None
    queue_position: int | None
    waiting_for: NotRequired[str | None]
    kind: NotRequired[str]
    detail: NotRequired[dict[str, Any]]


class Event(State):
    """What a video looked like after something happened. `kind` is status or title, or tells of an attempt at a step:
    begun, retry, waiting (for quota), resumed, lost, died; `detail` has its step, attempt, code, message, seconds."""

    event_id: int
    kind: str
    detail: dict[str, Any]


class SignedPut(TypedDict):
    """Where bytes go. The URL is a secret until `expires_at`; `headers` are signed and go along unchanged."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: str


class InParts(TypedDict):
    """The file goes in parts 1 to `part_count` of `part_size` bytes, the last one of what is left."""

    method: Literal["MULTIPART"]
    part_size: int
    part_count: int
    parts_url: str
    expires_at: str


UploadTarget = SignedPut | InParts


class VideoSummary(TypedDict):
    """`file_size` in bytes; `language` and `duration` are None until they are known, `upload` once all has arrived."""

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
    sha256: str | None
    duration: float | None
    created_at: str
    poster_url: str | None
    updated_at: str
    upload: UploadTarget | None


class Video(VideoSummary):
    script: dict[str, Any] | None
    meta_info: dict[str, Any]
    options: dict[str, str]


class Created(TypedDict):
    video_id: str
    status: str
    upload: UploadTarget


class SignedPart(SignedPut):
    """`size` in bytes: the address takes exactly so many."""

    number: int
    size: int


class StoredPart(TypedDict):
    number: int
    size: int
    etag: str


class UploadParts(TypedDict):
    """What storage holds of an upload. `checksums`: whether parts come with their SHA-256; None: not settled yet."""

    video_id: str
    part_size: int
    part_count: int
    checksums: bool | None
    parts: list[StoredPart]
    missing: list[int]


class Canceled(TypedDict):
    video_id: str
    status: str


class Receipt(TypedDict):
    """What was removed with a video: bytes by object, keys of unfinished uploads by id, how many vectors by generation
    and how many rows by table."""

    video_id: str
    deleted_at: str
    objects: dict[str, int]
    uploads: dict[str, str]
    vectors: dict[str, int]
    rows: dict[str, int]


class VideoUsage(TypedDict):
    """`unit` is bytes_stored, seconds_transcribed or tokens_embedded."""

    video_id: str
    unit: str
    amount: float
    engine: str


UsageReport = TypedDict("UsageReport", {"from": str, "to": str, "totals": dict[str, float], "videos": list[VideoUsage]})
"""What was used between two moments; `totals` by unit."""


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
    """`highlights` are [from, to) character offsets into `text`; `matched` says why: words, meaning, or both."""

    start_time: float
    end_time: float
    text: str
    highlights: list[tuple[int, int]]
    score: float
    matched: list[str]


class Found(TypedDict):
    """A video and its moments, best first."""

    video_id: str
    title: str
    poster_url: str | None
    moments: list[Moment]


class SearchAnswer(TypedDict):
    """`next`: the cursor of the page after this one. `relaxed`: nobody says the exact phrases."""

    query: str
    took_ms: float
    results: list[Found]
    next: str | None
    relaxed: bool


class SimilarMoments(TypedDict):
    """Moments like the one at `time`, where `text` is said."""

    video_id: str
    time: float
    text: str
    took_ms: float
    results: list[Found]
