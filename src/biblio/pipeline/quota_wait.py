"""What a video's history, and so its status, says of calls that wait for their turn in a worker's hands."""

import threading
import time
from contextlib import suppress

from biblio.domain.measures import QUOTA_WAIT_SECONDS
from biblio.domain.rate_limit import PaidCall
from biblio.errors import RateLimited, Unavailable
from biblio.pipeline.lease import Lease
from biblio.pipeline.services import Services

WORTH_SAYING = 1.0
"""Seconds of a wait that nobody is told of."""


class QuotaWait:
    """See `biblio.pipeline.admission.Sign`: `waiting` once, however many calls of the step wait, and `resumed` when
    none does any more. Ends the wait as `Lease.check` does."""

    def __init__(self, services: Services, lease: Lease) -> None:
        self._services, self._lease = services, lease
        self._turn = threading.Lock()
        self._since: dict[str, float] = {}
        self._told_at: float | None = None

    def waits(self, call: PaidCall, seconds: float) -> None:
        self._lease.check()
        with self._turn:
            now = time.monotonic()
            expected = now - self._since.setdefault(call.id, now) + seconds
            if self._told_at is None and expected > WORTH_SAYING:
                message = f"Its turn at the {call.limit.name.partition(':')[0]} service has not come yet."
                why = {"code": RateLimited.code, "message": message, "seconds": round(seconds, 1)}
                if self._tell("waiting", **why):
                    self._told_at = now

    def goes_on(self, call: PaidCall) -> None:
        """It may have come to its turn while the worker stops, or has lost the step: then it is not made."""
        self._lease.confirm_if_run_out()
        with self._turn:
            self._since.pop(call.id, None)
            self._resume()

    def works(self) -> None:
        """There is headway. Whoever takes over from an engine that is out of quota may make no calls at all."""
        with self._turn:
            self._resume()

    def gives_up(self, call: PaidCall) -> None:
        """Whatever ends the step says why; what does not is seen to work."""
        with self._turn:
            self._since.pop(call.id, None)

    def _resume(self) -> None:
        if not self._since and self._told_at is not None and self._tell("resumed"):
            waits = time.monotonic() - self._told_at
            self._services.meter.observe(QUOTA_WAIT_SECONDS, waits, step=self._lease.claim.step)
            self._told_at = None

    def _tell(self, kind: str, **detail: object) -> bool:
        """A catalog that is away just now costs the sign. Raises `LeaseLost`."""
        with suppress(Unavailable):
            self._lease.tell(kind, **detail)
            return True
        return False
