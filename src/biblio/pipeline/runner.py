"""Runs one step of one video: claim, work, and write down how it ended. The only place that retries."""

import errno
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from biblio.domain.flow import Queue, Status, Step, is_upkeep, overall_progress, stage_after, stage_of
from biblio.domain.measures import DEATHS
from biblio.domain.video import Failure
from biblio.errors import BiblioError, LeaseLost, RateLimited, Unavailable
from biblio.log_context import about
from biblio.pipeline.cleanup import cleanup, take_back
from biblio.pipeline.delete import delete
from biblio.pipeline.embed import embed
from biblio.pipeline.extract import extract
from biblio.pipeline.index import index
from biblio.pipeline.lease import LEASE_SECONDS, Lease, Worker
from biblio.pipeline.publish import publish
from biblio.pipeline.record import recorded
from biblio.pipeline.retries import Again, lost_cause, next_try
from biblio.pipeline.services import Services
from biblio.pipeline.transcribe import transcribe
from biblio.ports.catalog import Transaction
from biblio.ports.jobs import Claim

log = logging.getLogger(__name__)

Result = dict[str, Any]
Work = Callable[[Services, Lease], Result]

WORK: Mapping[Step, Work] = {
    Step.EXTRACT: extract,
    Step.TRANSCRIBE: transcribe,
    Step.EMBED: embed,
    Step.INDEX: index,
    Step.DELETE: delete,
    Step.CLEANUP: cleanup,
}


def work(services: Services, queue: Queue, worker: Worker) -> bool:
    """Do the job that is next in a queue. Whether there was one: a doubled or late message ends here, quietly.

    Raises what the catalog raises when nothing can be claimed; a step that fails raises nothing.
    """
    claim = _claim(services, queue, worker)
    if claim is None:
        return False
    with about(video=claim.video.id, step=claim.step, attempt=claim.attempt, worker=worker.name):
        _do(services, claim, worker)
    return True


def _do(services: Services, claim: Claim, worker: Worker) -> None:
    log.info("%s of video %s begins, attempt %d", claim.step, claim.video.id, claim.attempt)
    lease = Lease(services, claim, worker)
    try:
        with recorded(services, lease):
            if hopeless := lost_cause(claim):
                raise hopeless
            with lease:
                result = WORK[claim.step](services, lease)
            _succeed(services, lease, result)
    except LeaseLost as lost:
        log.info("%s of video %s stopped: %s", claim.step, claim.video.id, lost)
        with suppress(BiblioError):  # `check` finds what stays
            take_back(services, claim)
    except BiblioError as error:
        _end_badly(services, lease.claim, error)
    except OSError as error:  # adapters translate what they meet: this is the worker's own machine
        code = "NO_SPACE" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "MACHINE_FAILED"
        _end_badly(services, lease.claim, Unavailable(f"The worker's machine says: {error.strerror}.", code=code))


def bury(services: Services, owner: str) -> None:
    """The process `owner` died at its work: another takes it up at once, and the death is counted."""
    with services.catalog.transaction() as tx:
        videos = tx.jobs.bury(owner)
        for video in videos:
            tx.events.add(video, "died")
    services.meter.observe(DEATHS)
    for video in videos:
        with about(video=video.id):
            log.error("a process died at video %s", video.id)


def _claim(services: Services, queue: Queue, worker: Worker) -> Claim | None:
    with services.catalog.transaction() as tx:
        claim = tx.jobs.claim(queue, worker.name, seconds=LEASE_SECONDS)
        if claim is not None and not is_upkeep(claim.step):
            if claim.takes_over:
                tx.events.add(claim.video, "lost", step=claim.step, attempt=claim.attempt - 1)
            _show(tx, claim.video.id, claim.step, when_not=claim.video.status)
            tx.events.add(claim.video, "begun", step=claim.step, attempt=claim.attempt)
    return claim


def _show(tx: Transaction, video_id: str, step: Step, *, when_not: Status | None = None) -> None:
    status = stage_of(step).status
    if status is not when_not:
        tx.videos.update(video_id, status=status, step=step, progress=overall_progress(step, 0.0))


def _succeed(services: Services, lease: Lease, result: Result) -> None:
    """End the step and wish for the next one, in one transaction; then tell a worker."""
    claim = lease.claim
    if claim.step is Step.DELETE:
        return  # the job went with its video
    following = None
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=result)
        for act in lease.at_end:
            act(tx)
        if not is_upkeep(claim.step):
            following = _go_on(tx, claim)
    log.info("%s of video %s is done", claim.step, claim.video.id)
    if following is not None:
        publish(services, claim.video, following)


def _go_on(tx: Transaction, claim: Claim) -> Step:
    """What is to be done now: the next step, or clearing up behind the last one."""
    stage = stage_after(claim.step)
    if stage is None:
        tx.videos.update(claim.video.id, status=Status.COMPLETED, step=None, progress=100)
    else:
        _show(tx, claim.video.id, stage.step)
    following = stage.step if stage else Step.CLEANUP
    tx.jobs.request(claim.video, following)
    return following


def _end_badly(services: Services, claim: Claim, error: BiblioError) -> None:
    """Give the step back for another try, or fail for good. Where even that can't be written, the lease just ends."""
    again = next_try(claim, error)
    try:
        if again is not None:
            _give_back(services, claim, error, again)
        else:
            _fail(services, claim, error)
    except BiblioError as late:
        log.warning("%s of video %s is left to its lease: %s", claim.step, claim.video.id, late)


def _give_back(services: Services, claim: Claim, error: BiblioError, again: Again) -> None:
    why = {"step": claim.step, "code": error.code, "message": error.message, "seconds": round(again.seconds, 1)}
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=None, retry_after=again.seconds, counted=again.counted)
        if not is_upkeep(claim.step):
            tx.events.add(claim.video, "waiting" if isinstance(error, RateLimited) else "retry", **why)
    log.warning("%s of video %s: again in %.0f s: %s", claim.step, claim.video.id, again.seconds, error)


def _fail(services: Services, claim: Claim, error: BiblioError) -> None:
    failure = Failure(claim.step, error.code, error.message)
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=None)
        tx.videos.update(claim.video.id, status=Status.FAILED, failure=failure)
        tx.jobs.request(claim.video, Step.CLEANUP)
    log.error("%s of video %s failed: %s (%s)", claim.step, claim.video.id, error, error.code)
    publish(services, claim.video, Step.CLEANUP)
