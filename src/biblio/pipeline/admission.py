"""The turn of a paid call: asked of the buckets that all workers share, and waited for here where it is near."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from biblio.domain.rate_limit import RateLimit
from biblio.errors import RateLimited
from biblio.pipeline.services import Services

PATIENCE = 30.0
"""Seconds a worker waits with its step in hand; beyond, it gives the step back and does another user's."""
QUESTION_PATIENCE = 2.0
"""Seconds a person who searches waits."""
TICK = 0.5


class Admission:
    """See `biblio.ports.call.CallContext`; remembers nothing. `on_wait` is called again and again, and may raise."""

    def __init__(
        self, services: Services, user_id: str, *, patience: float, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        self._services = services
        self._user_id = user_id
        self._patience = patience
        self._on_wait = on_wait

    @contextmanager
    def admit(self, limit: RateLimit, units: float) -> Iterator[None]:
        until = time.monotonic() + self._patience
        while wait := self._ask(limit, units):
            if time.monotonic() + wait > until:
                raise RateLimited(f"All that {limit.name} may be asked for is used up for now.", retry_after=wait)
            self._sleep(wait)
        yield

    def recall(self, name: str) -> str | None:  # noqa: ARG002
        return None

    def note(self, name: str, value: str) -> None: ...

    def _ask(self, limit: RateLimit, units: float) -> float:
        take = self._services.limiter.take
        for kind, amount, rate in (("calls", 1.0, limit.calls), ("units", units, limit.units)):
            bucket = f"{limit.name}/{kind}"
            if rate and (wait := take(bucket, amount=amount, capacity=max(amount, 1.0), per_second=rate / 60)):
                return wait
        return 0.0

    def _sleep(self, seconds: float) -> None:
        self._on_wait()
        time.sleep(min(seconds, TICK))
