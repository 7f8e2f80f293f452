"""What is told of a step to whoever watches the system: how long it took, how it ended, and where it stands in its
video's trace."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from biblio.domain.measures import LEASES_LOST, QUOTA_WAIT_SECONDS, RETRIES, STEP_SECONDS
from biblio.errors import BiblioError, LeaseLost, RateLimited
from biblio.pipeline.lease import Lease
from biblio.pipeline.retries import next_try
from biblio.pipeline.services import Services
from biblio.ports.jobs import Claim


@contextmanager
def recorded(services: Services, lease: Lease) -> Iterator[None]:
    """One attempt at a step, however it ends. What it raises goes through."""
    claim = lease.claim
    began, outcome = time.monotonic(), "broken"
    try:
        with services.tracer.span(claim.step, claim.video.id, generation=claim.video.generation):
            yield
        outcome = "done"
    except LeaseLost:
        outcome = "lost"
        services.meter.observe(LEASES_LOST, step=claim.step)
        raise
    except BiblioError as error:
        outcome = _failed(services, lease.claim, error)
        raise
    finally:
        services.meter.observe(STEP_SECONDS, time.monotonic() - began, step=claim.step, outcome=outcome)


def _failed(services: Services, claim: Claim, error: BiblioError) -> str:
    again = next_try(claim, error)
    if again is None:
        return "failed"
    if again.counted:
        services.meter.observe(RETRIES, step=claim.step, code=error.code)
        return "retry"
    if isinstance(error, RateLimited):
        services.meter.observe(QUOTA_WAIT_SECONDS, again.seconds, step=claim.step)
        return "waiting"
    return "stopped"
