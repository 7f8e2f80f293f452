"""Runs one step of one video: claim, work, and write down how it ended. The only place that retries."""

import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

from biblio.domain.flow import Status, Step, overall_progress, stage_after, stage_of
from biblio.domain.video import Failure
from biblio.errors import BiblioError, LeaseLost, RateLimited
from biblio.pipeline.delete import delete
from biblio.pipeline.embed import embed
from biblio.pipeline.extract import extract
from biblio.pipeline.index import index
from biblio.pipeline.lease import LEASE_SECONDS, Lease
from biblio.pipeline.publish import publish
from biblio.pipeline.services import Services
from biblio.pipeline.transcribe import transcribe
from biblio.ports.jobs import Claim

MOST_ATTEMPTS = 5
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
LONGEST_WAIT = 3600.0
"""Seconds a service may ask us to wait; one that says more is asked again all the same."""

log = logging.getLogger(__name__)

Result = dict[str, Any]
Work = Callable[[Services, Lease], Result]

WORK: Mapping[Step, Work] = {
    Step.EXTRACT: extract,
    Step.TRANSCRIBE: transcribe,
    Step.EMBED: embed,
    Step.INDEX: index,
    Step.DELETE: delete,
}


def run(services: Services, video_id: str, step: Step) -> None:
    """Do the step if it is there to be done; a doubled or late message ends here, quietly."""
    claim = _claim(services, video_id, step)
    if claim is None:
        return None
    if claim.attempt > MOST_ATTEMPTS and step is not Step.DELETE:
        message = f"The worker died {MOST_ATTEMPTS} times at this step; the file seems to be more than it can bear."
        return _end_badly(services, claim, BiblioError(message, code="WORKER_DIED"))
    try:
        with Lease(services, claim) as lease:
            result = WORK[step](services, lease)
        _succeed(services, claim, result)
    except LeaseLost as lost:
        log.warning("%s of video %s stopped: %s", step, video_id, lost)
    except BiblioError as error:
        _end_badly(services, claim, error)


def _claim(services: Services, video_id: str, step: Step) -> Claim | None:
    with services.catalog.transaction() as tx:
        claim = tx.jobs.claim(video_id, step, seconds=LEASE_SECONDS)
        if claim is not None and step is not Step.DELETE:
            progress = max(claim.video.progress, overall_progress(step, 0.0))
            tx.videos.update(video_id, status=stage_of(step).status, step=step, progress=progress)
    if claim is not None:
        log.info("%s of video %s begins, attempt %d", step, video_id, claim.attempt)
    return claim


def _succeed(services: Services, claim: Claim, result: Result) -> None:
    """End the step and wish for the next one, in one transaction; then tell a worker."""
    if claim.step is Step.DELETE:
        return
    following = stage_after(claim.step)
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=result)
        if following is not None:
            progress = overall_progress(following.step, 0.0)
            tx.videos.update(claim.video.id, status=following.status, step=following.step, progress=progress)
            tx.jobs.request(claim.video, following.step)
        else:
            tx.videos.update(claim.video.id, status=Status.COMPLETED, step=None, progress=100)
    log.info("%s of video %s is done", claim.step, claim.video.id)
    if following is not None:
        publish(services, claim.video, following.step)


def _end_badly(services: Services, claim: Claim, error: BiblioError) -> None:
    """Give the step back for another try, or fail for good. Where even that can't be written, the lease just ends.

    A deletion never fails for good: its video is hidden already, and would stay in the stores for ever.
    """
    try:
        if claim.step is Step.DELETE or (error.retryable and claim.attempt < MOST_ATTEMPTS):
            _give_back(services, claim, error)
        else:
            _fail(services, claim, error)
    except BiblioError as late:
        log.warning("%s of video %s is left to its lease: %s", claim.step, claim.video.id, late)


def _give_back(services: Services, claim: Claim, error: BiblioError) -> None:
    pause = _pause(error, claim.attempt)
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=None, retry_after=pause)
    log.warning("%s of video %s will be tried again in %.0f s: %s", claim.step, claim.video.id, pause, error)


def _fail(services: Services, claim: Claim, error: BiblioError) -> None:
    failure = Failure(claim.step, error.code, error.message)
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=None)
        tx.videos.update(claim.video.id, status=Status.FAILED, failure=failure)
    log.error("%s of video %s failed: %s (%s)", claim.step, claim.video.id, error, error.code)


def _pause(error: BiblioError, attempt: int) -> float:
    """What the service asked for, else exponential, with jitter so that many videos do not come back at once."""
    if isinstance(error, RateLimited) and error.retry_after:
        return min(LONGEST_WAIT, error.retry_after)
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)
