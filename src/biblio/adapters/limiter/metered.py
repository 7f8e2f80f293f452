"""Any limiter, and how long its buckets let wait."""

from biblio.domain.measures import BUCKET_WAIT_SECONDS
from biblio.ports.limiter import Limiter
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
        # What stands behind the colon may be a user.
        self._meter.observe(BUCKET_WAIT_SECONDS, wait, bucket=bucket.partition(":")[0])
        return wait
