"""When a step that did not end well is tried again, and when it is given up."""

import random
from dataclasses import dataclass

from biblio.domain.flow import is_upkeep
from biblio.errors import BiblioError, RateLimited
from biblio.pipeline.lease import STOPPING
from biblio.ports.jobs import Claim

MOST_TRIES = 12
"""Over half an hour: an engine that was restarted or moved is back by then."""
MOST_DEATHS = 3
"""Processes that a file may take with it. That of a whole worker, killed or unplugged, is no more than a try."""
MOST_TRIES_OF = {"OUT_OF_MEMORY": MOST_DEATHS}
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0
LONGEST_WAIT = 3600.0
"""Seconds a service may ask us to wait; one that says more is asked again all the same."""
WAIT = 10.0
"""Seconds, where a service that is out of quota does not say."""


@dataclass(frozen=True)
class Again:
    """To be tried again in so many seconds; `counted` as one of its tries."""

    seconds: float
    counted: bool = True


def lost_cause(claim: Claim) -> BiblioError | None:
    """Why a step is not even begun again."""
    if is_upkeep(claim.step) or (claim.deaths < MOST_DEATHS and claim.tries <= MOST_TRIES):
        return None
    times = max(claim.deaths, claim.tries - 1)
    message = f"The worker died {times} times at this step; the file seems to be more than it can bear."
    return BiblioError(message, code="WORKER_DIED")


def next_try(claim: Claim, error: BiblioError) -> Again | None:
    """None: it has failed for good. An upkeep step never does."""
    if error.code == STOPPING:
        return Again(0.0, counted=False)
    if isinstance(error, RateLimited):
        # A wait for quota is no failure, however often it happens.
        return Again(min(LONGEST_WAIT, error.retry_after or WAIT * _jitter()), counted=False)
    hopeful = error.retryable and claim.tries < MOST_TRIES_OF.get(error.code, MOST_TRIES)
    return Again(_pause(claim.tries)) if hopeful or is_upkeep(claim.step) else None


def _pause(tries: int) -> float:
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (min(tries, 20) - 1)) * _jitter()


def _jitter() -> float:
    """So that many videos do not come back at once."""
    return random.uniform(0.5, 1.5)
