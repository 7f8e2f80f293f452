"""The JSON of requests and answers. Names are a public contract: the specification's, and the house's section 6."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from biblio.domain.flow import Status, Step
from biblio.domain.search import Reason
from biblio.domain.video import Options

LARGEST_NUMBER = 2**63 - 1
PRINTABLE = r"^[ -~]+$"


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class VideoOptions(Request):
    language: Annotated[str, StringConstraints(min_length=2, max_length=20)] | None = None
    model: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None

    def as_options(self) -> Options:
        return Options(self.language, self.model)


class CreateVideo(Request):
    file_name: Annotated[str, StringConstraints(max_length=1000)]
    file_size: Annotated[int, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER, examples=[104857600])]
    mime_type: Annotated[str, StringConstraints(max_length=200)] | None = None
    title: Annotated[str, StringConstraints(max_length=1000)] | None = None
    options: VideoOptions = VideoOptions()
    sha256: Annotated[str, StringConstraints(max_length=64)] | None = None
    fingerprint: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=PRINTABLE)] | None = None


class SignParts(Request):
    numbers: Annotated[list[int], Field(min_length=1, max_length=100, examples=[[1, 2, 3]])]
    sha256: dict[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}$")], str] = Field(default={}, max_length=100)


class ChangeVideo(Request):
    title: Annotated[str, StringConstraints(max_length=1000)]


class PutUpload(BaseModel):
    """One PUT of the whole file."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: datetime


class MultipartUpload(BaseModel):
    """Parts 1 to `part_count` of `part_size` bytes, the last of what is left. Their addresses come from `parts_url`."""

    method: Literal["MULTIPART"]
    part_size: int
    part_count: int
    parts_url: str
    expires_at: datetime


Upload = Annotated[PutUpload | MultipartUpload, Field(discriminator="method")]


class CreatedVideo(BaseModel):
    video_id: str
    status: Status
    upload: Upload


class SignedPartUrl(PutUpload):
    number: int
    size: int


class SignedParts(BaseModel):
    parts: list[SignedPartUrl]


class StoredPart(BaseModel):
    number: int
    size: int
    etag: str


class StoredParts(BaseModel):
    """`checksums` is null before the first part was signed."""

    video_id: str
    part_size: int
    part_count: int
    checksums: bool | None
    parts: list[StoredPart]
    missing: list[int]


class CanceledUpload(BaseModel):
    video_id: str
    status: Status


class EventsTaken(BaseModel):
    started: int
    ignored: int


class Accepted(BaseModel):
    message: str
    video_id: str
    status: Literal[Status.PENDING]
    check_status_url: str


class VideoError(BaseModel):
    step: Step
    code: str
    message: str


class State(BaseModel):
    video_id: str
    status: Status
    progress: int
    step: Step | None
    error: VideoError | None
    updated_at: datetime


class VideoStatus(State):
    """`event_id`: what happened up to it is in here. `queue_position` counts from 1 while a worker is waited for.
    `waiting_for` is "quota" while a paid service may not be asked yet: no failure, and it goes on by itself."""

    event_id: int
    seconds_left: float | None
    queue_position: int | None
    waiting_for: Literal["quota"] | None


class VideoEvent(State):
    """What a video looked like after something happened. `kind` is `status` or `title`, or names what happened to an
    attempt at `step`: `begun`, `retry`, `waiting`, `resumed`, `died`, with `detail`."""

    event_id: int
    kind: str
    detail: dict[str, Any]


class StatusMessage(VideoEvent):
    """What the socket of a video tells. These are null in a message that is not about now."""

    seconds_left: float | None
    queue_position: int | None
    waiting_for: Literal["quota"] | None


class VideoHistory(BaseModel):
    events: list[VideoEvent]


class ListedVideo(State):
    title: str
    file_name: str
    file_size: int
    mime_type: str
    language: str | None
    sha256: str | None
    duration: float | None
    created_at: datetime
    poster_url: str | None
    upload: Upload | None = None


class VideoPage(BaseModel):
    """`total` is there when it was asked for."""

    videos: list[ListedVideo]
    next: str | None
    total: int | None = None


class WholeVideo(ListedVideo):
    script: str
    meta_info: dict[str, Any]
    options: dict[str, str]


class Deleted(BaseModel):
    video_id: str
    status: Literal[Status.DELETING]


class DeletionReceipt(BaseModel):
    """What was removed: bytes by object, keys of unfinished uploads by id, how many vectors by generation and how many
    rows by table."""

    video_id: str
    deleted_at: datetime
    objects: dict[str, int]
    uploads: dict[str, str]
    vectors: dict[str, int]
    rows: dict[str, int]


class Canceled(BaseModel):
    """COMPLETED where the video was being reprocessed: it is as it was before."""

    video_id: str
    status: Literal[Status.CANCELED, Status.COMPLETED]


class Reprocess(Request):
    """`step` is the first one to be done again."""

    step: Literal["extract", "transcribe", "embed", "index"] | None = None
    options: VideoOptions | None = None


class VideoUsage(BaseModel):
    video_id: str
    unit: str
    amount: float
    engine: str


class UsageReport(BaseModel):
    """`totals` by unit: bytes_stored, seconds_transcribed, tokens_embedded."""

    model_config = ConfigDict(populate_by_name=True)

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    totals: dict[str, float]
    videos: list[VideoUsage]


class FoundMoment(BaseModel):
    start_time: float
    end_time: float
    text: str
    highlights: list[tuple[int, int]]
    score: float
    matched: list[Reason]


class FoundVideo(BaseModel):
    video_id: str
    title: str
    poster_url: str | None
    moments: list[FoundMoment]


class SearchAnswer(BaseModel):
    """`next` is the cursor of the page after this one. `relaxed`: nobody says the exact phrases, so these answer their
    words."""

    query: str
    took_ms: float
    results: list[FoundVideo]
    next: str | None
    relaxed: bool


class Suggestions(BaseModel):
    query: str
    suggestions: list[str]


class SimilarMoments(BaseModel):
    """`text` is what is said at the moment that was asked about."""

    video_id: str
    time: float
    text: str
    took_ms: float
    results: list[FoundVideo]
