"""The token bucket that all workers share: no more paid calls than were bought."""

from typing import Protocol

from biblio.ports.engine import Engine


class Limiter(Engine, Protocol):
    """- no window holds more than capacity plus rate times its length
    - an empty bucket says how long to wait
    - two buckets do not touch each other
    - workers in other processes share the bucket
    - an amount that never fits is refused
    """

    def take(self, bucket: str, *, amount: float, capacity: float, per_second: float) -> float:
        """Take `amount` tokens, or nothing. Seconds to wait before trying again; 0.0 when they were taken.

        `bucket` is any name. It holds at most `capacity` tokens, begins full and gains `per_second` a second by the
        server's clock. The wait is the shortest possible: others may be faster. Raises `InvalidInput` when `amount` is
        above `capacity` or any of them makes no sense, `Unavailable` and `Misconfigured`.
        """
