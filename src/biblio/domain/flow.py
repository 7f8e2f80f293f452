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
WORKING = frozenset({Status.PENDING, Status.EXTRACTING, Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING})
"""On the road: waiting for a worker, or in its hands."""


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
    CLEANUP = "cleanup"


@dataclass(frozen=True)
class Stage:
    """One step's place on the road. `share` is its part of the whole work, in percent; all shares add up to 100.

    `status` None: the step works behind the scenes, and the video's status stays what it is.
    """

    step: Step
    queue: Queue
    status: Status | None
    share: int


ROAD = (
    Stage(Step.EXTRACT, Queue.MEDIA, Status.EXTRACTING, 10),
    Stage(Step.TRANSCRIBE, Queue.AI, Status.TRANSCRIBING, 75),
    Stage(Step.EMBED, Queue.AI, Status.EMBEDDING, 10),
    Stage(Step.INDEX, Queue.INDEX, Status.INDEXING, 5),
)
UPKEEP = (Stage(Step.DELETE, Queue.INDEX, None, 0), Stage(Step.CLEANUP, Queue.INDEX, None, 0))
"""Steps beside the road. They never fail for good: what they leave undone would lie about for ever."""

_STAGES = {stage.step: stage for stage in (*ROAD, *UPKEEP)}


def stage_of(step: Step) -> Stage:
    return _STAGES[step]


def first_stage() -> Stage:
    return ROAD[0]


def is_upkeep(step: Step) -> bool:
    return any(stage.step is step for stage in UPKEEP)


def steps_before(step: Step) -> tuple[Step, ...]:
    """The steps of the road whose results `step` stands on."""
    road = [stage.step for stage in ROAD]
    return tuple(road[: road.index(step)])


def steps_of(queue: Queue) -> tuple[Step, ...]:
    """Those that wait in a queue, furthest down the road first: what is begun is to be finished."""
    return tuple(stage.step for stage in reversed((*UPKEEP, *ROAD)) if stage.queue is queue)


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
