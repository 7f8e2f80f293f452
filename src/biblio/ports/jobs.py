"""Who does which step, and what is still to be done. The row of a job is its outbox entry and its lease at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from biblio.domain.flow import Queue, Step
from biblio.domain.video import Job, Video


@dataclass(frozen=True)
class Claim:
    """A worker's right to do one step of a video. `attempt` fences: a later attempt makes this one void."""

    video: Video
    step: Step
    attempt: int
    results: dict[Step, dict[str, Any]]
    """What the earlier steps of this generation left."""


class Jobs(Protocol):
    """- a requested job is claimed once
    - a running job is not claimed again before its lease ends
    - a job whose lease ended is claimed by another
    - a worker that lost its lease can neither renew nor finish nor give back
    - a job given back is due after its delay
    - a job that the broker lost is due again
    - jobs of an earlier generation are void
    """

    def request(self, video: Video, step: Step) -> None:
        """Wish for a step, in the same transaction as the status that calls for it."""

    def claim(self, video_id: str, step: Step, *, seconds: float) -> Claim | None:
        """Take the job for `seconds`; None when it is done, dropped, not due yet or another's."""

    def renew(self, claim: Claim, *, seconds: float, progress: int) -> None:
        """Keep the job, and show the video's progress in percent (it never falls). Raises `LeaseLost`."""

    def end(self, claim: Claim, *, result: dict[str, Any] | None, retry_after: float | None = None) -> None:
        """With a result: done. With `retry_after` seconds: to be tried again then. With neither: failed for good.

        Raises `LeaseLost`.
        """

    def due(self, *, quiet: Collection[Queue], limit: int) -> Sequence[Job]:
        """Jobs no worker was told of within a second, or whose lease ended; in `quiet` queues, where no message waits,
        also those that were told of some seconds ago and not taken: the broker lost them."""

    def told(self, job: Job) -> None:
        """The broker has the message of this job."""
