"""Any limiter, and how long its buckets let wait."""

from biblio.domain.measures import BUCKET_WAIT_SECONDS
from biblio.domain.rate_limit import PaidCall, RateLimit
from biblio.ports.limiter import PLACE_SECONDS, Limiter
from biblio.ports.meter import Meter


class MeteredLimiter:
    def __init__(self, limiter: Limiter, meter: Meter) -> None:
        self._limiter, self._meter = limiter, meter

    def prepare(self) -> None:
        self._limiter.prepare()

    def ping(self) -> None:
        self._limiter.ping()

    def close(self) -> None:
        self._limiter.close()

    def take(self, bucket: str, *, amount: float, capacity: float, per_second: float) -> float:
        wait = self._limiter.take(bucket, amount=amount, capacity=capacity, per_second=per_second)
        self._note(bucket, wait)
        return wait

    def admit(self, call: PaidCall, *, patience: float, seconds: float = PLACE_SECONDS) -> float:
        wait = self._limiter.admit(call, patience=patience, seconds=seconds)
        self._note(call.limit.name, wait)
        return wait

    def keep(self, call: PaidCall, *, seconds: float = PLACE_SECONDS) -> None:
        self._limiter.keep(call, seconds=seconds)

    def leave(self, call: PaidCall, *, well: bool) -> None:
        self._limiter.leave(call, well=well)

    def refuse(self, limit: RateLimit, retry_after: float | None) -> float:
        return self._limiter.refuse(limit, retry_after)

    def _note(self, name: str, wait: float) -> None:
        """What stands behind the colon may be a user."""
        self._meter.observe(BUCKET_WAIT_SECONDS, wait, bucket=name.partition(":")[0])
