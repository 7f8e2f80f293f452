"""A worker's hold on a step: renewed from a thread of its own, so that long silent work keeps it."""

import logging
import threading
from typing import Self

from biblio.domain.flow import overall_progress
from biblio.errors import LeaseLost, Unavailable
from biblio.pipeline.services import Services
from biblio.ports.jobs import Claim

LEASE_SECONDS = 20.0
RENEW_SECONDS = 1.0
"""How often progress is shown and the lease renewed; a database away for less than the lease does no harm."""

log = logging.getLogger(__name__)


class Lease:
    """Use as a context manager around the work. `report` raises `LeaseLost` once another worker has the step."""

    def __init__(self, services: Services, claim: Claim) -> None:
        self.claim = claim
        self._services = services
        self._done = 0.0
        self._lost: LeaseLost | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{claim.video.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def report(self, done: float) -> None:
        """How much of the step is done, 0 to 1."""
        self._done = max(self._done, done)
        if self._lost is not None:
            raise self._lost

    def _keep(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                self._renew()
            except LeaseLost as lost:
                self._lost = lost
                return
            except Unavailable as error:
                log.warning("the lease of video %s could not be renewed: %s", self.claim.video.id, error)

    def _renew(self) -> None:
        progress = overall_progress(self.claim.step, self._done)
        with self._services.catalog.transaction() as tx:
            tx.jobs.renew(self.claim, seconds=LEASE_SECONDS, progress=progress)
