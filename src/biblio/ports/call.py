"""On whose behalf a service is called, and what is remembered of a call that its worker does not live to see ended."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from biblio.domain.rate_limit import RateLimit


class CallContext(Protocol):
    """Safe for threads. An engine that costs nothing asks nothing of it.

    - what was noted is recalled by its name alone
    - a call is made once it is admitted
    - an empty note forgets what was noted
    """

    def admit(self, limit: RateLimit, units: float) -> AbstractContextManager[None]:
        """Wait for the turn of one call of so many units, which is made inside the block.

        A `RateLimited` that leaves the block says that the service refused: nobody calls it for a while. Raises
        `RateLimited` where the turn is far off, `Unavailable` where nobody can tell whose turn it is, and what ends the
        work that the call belongs to.
        """

    def recall(self, name: str) -> str | None:
        """What was noted under a name, by this worker or by one that died at the same work."""

    def note(self, name: str, value: str) -> None:
        """Remember the name of an operation that was begun, before it is waited for. Raises as `Lease.save`."""


class Unpaced:
    """Where nobody counts: for commands, benchmarks and tests of one engine."""

    def __init__(self) -> None:
        self._noted: dict[str, str] = {}

    def admit(self, limit: RateLimit, units: float) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def recall(self, name: str) -> str | None:
        return self._noted.get(name)

    def note(self, name: str, value: str) -> None:
        self._noted[name] = value
        if not value:
            del self._noted[name]
