"""Finish what a crash left: announce jobs that no worker was told of, whose worker died, or that the broker lost."""

from biblio.domain.flow import Queue
from biblio.errors import Unavailable
from biblio.pipeline.publish import send
from biblio.pipeline.services import Services

MOST_AT_ONCE = 500


def sweep(services: Services) -> int:
    """How many jobs were announced. Harmless when two do it at once: a job is claimed once."""
    with services.catalog.transaction() as tx:
        jobs = tx.jobs.due(quiet=_quiet(services), limit=MOST_AT_ONCE)
    for job in jobs:
        send(services, job)
    return len(jobs)


def _quiet(services: Services) -> list[Queue]:
    """Queues in which no message waits. None of them while the broker is down: nothing could be sent anyway."""
    try:
        return [queue for queue in Queue if services.queue.waiting(queue) == 0]
    except Unavailable:
        return []
