"""The queue: wakes a worker for a job. It may lose, double or delay a message; the catalog decides what is done."""

from typing import Protocol

from biblio.domain.flow import Queue
from biblio.domain.video import Job
from biblio.ports.engine import Engine


class JobQueue(Engine, Protocol):
    """- a published job arrives as the specification's JSON, in the queue of its step
    - what waits is counted
    - a broker that is down is unavailable, soon, not an endless wait
    """

    def publish(self, job: Job) -> None:
        """Returns once the broker has the message. Raises `Unavailable`."""

    def waiting(self, queue: Queue) -> int:
        """How many messages no worker has fetched yet. Raises `Unavailable`."""
