"""The road a video travels: its statuses, steps, their order and the queue each waits in."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    UPLOADING = "UPLOADING"
    PENDING = "PENDING"
    EXTRACTING = "EXTRACTING"
    TRANSCRIBING = "TRANSCRIBING"
    EMBEDDING = "EMBEDDING"
    INDEXING = "INDEXING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    DELETING = "DELETING"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELED, Status.EXPIRED})
UPLOAD_ENDED = frozenset({Status.CANCELED, Status.EXPIRED})
"""Nothing arrived, and nothing will."""
EMPTY = UPLOAD_ENDED | {Status.DELETING}
"""Statuses whose videos hold no bytes, or soon none."""


class Queue(StrEnum):
    MEDIA = "media"
    AI = "ai"
    INDEX = "index"


class Step(StrEnum):
    EXTRACT = "extract"
    TRANSCRIBE = "transcribe"
    EMBED = "embed"
    INDEX = "index"
    DELETE = "delete"


@dataclass(frozen=True)
class Stage:
    """One step's place on the road. `share` is its part of the whole work, in percent; all shares add up to 100."""

    step: Step
    queue: Queue
    status: Status
    share: int


ROAD = (
    Stage(Step.EXTRACT, Queue.MEDIA, Status.EXTRACTING, 10),
    Stage(Step.TRANSCRIBE, Queue.AI, Status.TRANSCRIBING, 75),
    Stage(Step.EMBED, Queue.AI, Status.EMBEDDING, 10),
    Stage(Step.INDEX, Queue.INDEX, Status.INDEXING, 5),
)
DELETION = Stage(Step.DELETE, Queue.INDEX, Status.DELETING, 0)

_STAGES = {stage.step: stage for stage in (*ROAD, DELETION)}


def stage_of(step: Step) -> Stage:
    return _STAGES[step]


def first_stage() -> Stage:
    return ROAD[0]


def stage_after(step: Step) -> Stage | None:
    """The next stage of the road; None after its last one."""
    place = next(i for i, stage in enumerate(ROAD) if stage.step is step)
    return ROAD[place + 1] if place + 1 < len(ROAD) else None


def overall_progress(step: Step, done: float) -> int:
    """Percent (0–99) of the whole road when `done` (0–1) of `step` is done; 100 is kept for COMPLETED."""
    before = 0
    for stage in ROAD:
        if stage.step is step:
            return min(99, int(before + stage.share * min(1.0, max(0.0, done))))
        before += stage.share
    return 0
