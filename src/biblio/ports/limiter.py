"""What all workers share of what was bought: buckets of tokens, and turns at a paid service."""

from typing import Protocol

from biblio.domain.rate_limit import PaidCall, RateLimit
from biblio.ports.engine import Engine

ASK_EVERY = 0.5
"""Seconds: who waits for a turn asks again so often at least, or is passed by."""
PLACE_SECONDS = 30.0
"""So long is a call held to be under way whose caller neither keeps its place nor leaves."""


class Limiter(Engine, Protocol):
    """- no window holds more than capacity plus rate times its length
    - an empty bucket says how long to wait
    - two buckets do not touch each other
    - workers in other processes share the bucket
    - an amount that never fits is refused
    - no window holds more calls than the limit allows, and what is allowed is used
    - no minute holds more units than the limit allows
    - a call of more units than a minute has goes alone
    - no more calls are under way than may be at once
    - the place of a caller that died comes back, and one that is kept does not
    - a call that asks again takes nothing more
    - users take turns at a service, however much one of them asks for
    - who is not heard of any more is passed by
    - a turn that is far off is told, and takes no place in the line
    - a refusal closes the limit for everybody
    - refusals without a time close it for longer and longer
    - a limit of which nothing is known begins empty
    - two limits do not touch each other
    """

    def take(self, bucket: str, *, amount: float, capacity: float, per_second: float) -> float:
        """Take `amount` tokens, or nothing. Seconds to wait before trying again; 0.0 when they were taken.

        `bucket` is any name. It holds at most `capacity` tokens, begins full and gains `per_second` a second by the
        server's clock. The wait is the shortest possible: others may be faster. Raises `InvalidInput` when `amount` is
        above `capacity` or any of them makes no sense, `Unavailable` and `Misconfigured`.
        """

    def admit(self, call: PaidCall, *, patience: float, seconds: float = PLACE_SECONDS) -> float:
        """0.0: the call may be made now, and is held to be under way for `seconds`. Else the seconds until its turn.

        Up to `patience` seconds the caller is in the line, if it asks again after that time or `ASK_EVERY`, whichever
        is sooner. Beyond, it is not, and each caller is told a later time, so that they do not all come back at once.
        Raises as `take`.
        """

    def keep(self, call: PaidCall, *, seconds: float = PLACE_SECONDS) -> None:
        """The call is held to be under way for `seconds` more from now. Raises as `take`."""

    def leave(self, call: PaidCall, *, well: bool) -> None:
        """The call is over, or its turn is not waited for any more; `well`: the service took it. Raises as `take`."""

    def refuse(self, limit: RateLimit, retry_after: float | None) -> float:
        """The service said that it was asked too often: no call for `retry_after` seconds.

        None: for a while that doubles from refusal to refusal, until the service takes a call. The seconds from now
        until the limit is open again. Raises as `take`.
        """
