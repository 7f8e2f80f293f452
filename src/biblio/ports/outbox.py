"""Which jobs the broker has still to be told of."""

from collections.abc import Collection, Sequence
from typing import Protocol

from biblio.domain.flow import Queue
from biblio.domain.video import Job


class Outbox(Protocol):
    """- a job that nobody was told of is due
    - a job whose lease ended is due
    - a job that the broker lost is due again
    """

    def due(self, *, quiet: Collection[Queue], limit: int) -> Sequence[Job]:
        """Jobs no worker was told of within a second, or whose lease ended; in `quiet` queues, where no message waits,
        also those that were told of some seconds ago and not taken: the broker lost them."""

    def told(self, job: Job) -> None:
        """The broker has the message of this job."""
