"""Who does which step. The row of a job is its outbox entry and its lease at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from biblio.domain.flow import Queue, Step
from biblio.domain.video import Video


@dataclass(frozen=True)
class Claim:
    """A worker's right to do one step of a video. `attempt` fences: a later attempt makes this one void.

    `tries` were begun and did not end well, this one included; `deaths` of them took their process with them. Neither
    counts a wait for quota, and a saved checkpoint starts both anew.
    """

    video: Video
    step: Step
    attempt: int
    results: dict[Step, dict[str, Any]]
    """What the earlier steps of this generation left."""
    tries: int = 1
    deaths: int = 0
    checkpoint: dict[str, Any] = field(default_factory=dict)
    """What earlier attempts at this step saved."""
    takes_over: bool = False
    """Whether the attempt before held the step until its lease ended, and was heard of no more."""


class Jobs(Protocol):
    """- a requested job is claimed once
    - users take turns, however much one of them has waiting
    - a running job is not claimed again before its lease ends
    - a job whose lease ended is claimed by another
    - a worker that lost its lease can neither renew nor save nor finish nor give back
    - a job given back is due after its delay
    - a wait for quota is not counted as a try
    - a saved checkpoint is there for the next attempt
    - a checkpoint that is no headway lets tries be counted
    - the job of a dead process is free at once, and its death is counted
    - jobs of an earlier generation are void
    - an upkeep step that is wished for again is done again
    """

    def request(self, video: Video, step: Step, *, results: dict[Step, dict[str, Any]] | None = None) -> None:
        """Wish for a step, in the same transaction as the status that calls for it.

        `results` of steps before it, where another generation made them, are taken over. An upkeep step is not due
        before the leases of earlier generations are over: until then their workers may not have noticed.
        """

    def claim(self, queue: Queue, owner: str, *, seconds: float) -> Claim | None:
        """Take the job that is next in a queue, for `seconds`; None when none is ready. `owner` names the process."""

    def renew(
        self,
        claim: Claim,
        *,
        seconds: float,
        progress: int = 0,
        checkpoint: dict[str, Any] | None = None,
        anew: bool = True,
    ) -> None:
        """Keep the job, and show the video's progress in percent (it never falls). Raises `LeaseLost`.

        Not `anew`: the checkpoint is no headway, and tries go on being counted.
        """

    def end(
        self, claim: Claim, *, result: dict[str, Any] | None, retry_after: float | None = None, counted: bool = True
    ) -> None:
        """With a result: done. With `retry_after` seconds: to be tried again then. With neither: failed for good.

        Not `counted`: the try was none. Raises `LeaseLost`.
        """

    def bury(self, owner: str) -> Sequence[Video]:
        """Free what a process held that died at it; the videos."""

    def results(self, video: Video, generation: int) -> dict[Step, dict[str, Any]]:
        """What the finished steps of a generation left."""
