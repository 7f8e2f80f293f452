"""A worker's hold on a step: renewed from a thread of its own, so that long silent work keeps it."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Self

from biblio.domain.flow import overall_progress
from biblio.errors import BiblioError, LeaseLost, Unavailable
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.jobs import Claim

LEASE_SECONDS = 10.0
"""So long after its worker's death a step is free; a database away for less does no harm."""
RENEW_SECONDS = 1.0
"""How often progress is shown and the lease renewed."""
LET_GO_SECONDS = 3.0
"""After the step was canceled or taken away; a model in the middle of a batch can't be stopped in any gentler way."""
STALL_SECONDS = 3600.0
"""Work that has not reported for so long hangs. The slowest engine tells of each sentence that it has heard."""
STOPPING = "WORKER_STOPPING"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    """The process that works. `name` is its own among all there are; `die` ends it on the spot.

    Without `die` (where others live in the process too) work that can't be stopped just goes on, its lease gone.
    """

    name: str
    is_stopping: Callable[[], bool] = lambda: False
    die: Callable[[], None] = lambda: None


class Lease:
    """Use as a context manager around the work. `report` and `save` raise `LeaseLost` once the step is somebody
    else's, `report` also `Unavailable` WORKER_STOPPING when the worker is to stop."""

    def __init__(self, services: Services, claim: Claim, worker: Worker) -> None:
        self.claim = claim
        self.at_end: list[Callable[[Transaction], None]] = []
        """Done in the transaction that ends the step well."""
        self._services = services
        self._worker = worker
        self._done = 0.0
        self._heard_at = self._renewed_at = time.monotonic()
        self._halt: BiblioError | None = None
        self._over = threading.Event()
        keep = copy_context().run  # so that its log lines say what they are about
        self._thread = threading.Thread(target=keep, args=(self._keep,), name=f"lease-{claim.video.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        # For calls of other threads that still wait for their turn.
        self._halt = self._halt or LeaseLost("This attempt at the step is over.")

    def report(self, done: float) -> None:
        """How much of the step is done, 0 to 1."""
        self._done = max(self._done, done)
        self.check()

    def check(self) -> None:
        """Still at it, and no further. Raises as `report`."""
        self._heard_at = time.monotonic()
        if self._halt is not None:
            raise self._halt

    def note(self, checkpoint: dict[str, Any]) -> None:
        """What the next attempt should know, without being any further. Raises as `save`."""
        self._renew(checkpoint, anew=False)

    def save(self, checkpoint: dict[str, Any]) -> None:
        """What the next attempt may start from, should this one not end. Raises `Unavailable` too."""
        self._renew(checkpoint)
        self._heard_at = time.monotonic()
        self.claim = replace(self.claim, tries=1, deaths=0)  # as in the catalog: what was saved counts as a new start

    def tell(self, kind: str, **detail: object) -> None:
        """Note in the video's history what happens to this attempt. Raises as `save`."""
        with self._services.catalog.transaction() as tx:
            self._prolong(tx)
            tx.events.add(self.claim.video, kind, step=self.claim.step, attempt=self.claim.attempt, **detail)

    def confirm(self) -> None:
        """Before anything that costs: a process that stood still may have lost the step without having heard of it.

        Raises as `save`.
        """
        self._renew()

    def confirm_if_run_out(self) -> None:
        """The same before each of many calls; only who stood still asks the catalog. Raises as `check` and `save`."""
        self.check()
        if time.monotonic() - self._renewed_at > LEASE_SECONDS:
            self.confirm()

    def _keep(self) -> None:
        try:
            while not self._over.wait(RENEW_SECONDS):
                if self._worker.is_stopping():
                    return self._stop()
                self._renew_if_possible()
                self._end_if_stalled()
        except LeaseLost as lost:
            self._let_go(lost)
        return None

    def _renew_if_possible(self) -> None:
        """A catalog that is away is asked again in a second: the step is ours until somebody else takes it up."""
        try:
            self._renew()
        except LeaseLost:
            raise
        except BiblioError as error:
            log.warning("the lease of video %s could not be renewed: %s", self.claim.video.id, error)

    def _renew(self, checkpoint: dict[str, Any] | None = None, *, anew: bool = True) -> None:
        with self._services.catalog.transaction() as tx:
            self._prolong(tx, checkpoint, anew=anew)

    def _prolong(self, tx: Transaction, checkpoint: dict[str, Any] | None = None, *, anew: bool = True) -> None:
        progress = overall_progress(self.claim.step, self._done)
        asked_at = time.monotonic()
        tx.jobs.renew(self.claim, seconds=LEASE_SECONDS, progress=progress, checkpoint=checkpoint, anew=anew)
        self._renewed_at = asked_at

    def _end_if_stalled(self) -> None:
        """A process that hangs is as good as dead, and counts as that: three of them, and the step has failed."""
        if time.monotonic() - self._heard_at > STALL_SECONDS:
            log.error("%s of video %s has hung for an hour: its process ends", self.claim.step, self.claim.video.id)
            self._heard_at = time.monotonic()
            self._worker.die()

    def _let_go(self, why: BiblioError) -> None:
        self._halt = why
        if not self._over.wait(LET_GO_SECONDS):
            log.warning("%s of video %s does not let go: its process ends", self.claim.step, self.claim.video.id)
            self._worker.die()

    def _stop(self) -> None:
        """Let the step come to its next report, keeping the lease; where that takes too long, give it back unasked."""
        self._halt = Unavailable("The worker is being stopped.", code=STOPPING)
        until = time.monotonic() + self._services.limits.stop_seconds
        while (left := until - time.monotonic()) > 0:
            self._renew_if_possible()
            if self._over.wait(min(RENEW_SECONDS, left)):
                return
        with suppress(Unavailable):  # then the lease just ends
            give_back(self._services, self.claim)
        self._worker.die()


def give_back(services: Services, claim: Claim) -> None:
    """For another worker to take up at once; this try was none. Raises `LeaseLost`, `Unavailable`."""
    with services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=None, retry_after=0.0, counted=False)
