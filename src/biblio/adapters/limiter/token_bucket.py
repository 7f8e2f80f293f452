"""Token buckets and turns in Redis or Valkey: `redis://:password@host:port/database`, `rediss://` over TLS.

Scripts (`scripts.py`), each run by the server as one step and on the server's clock, so that workers need no clock in
common.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite

from pydantic import Field
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    AuthorizationError,
    BusyLoadingError,
    ClusterError,
    ConnectionError,
    MaxConnectionsError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
    TryAgainError,
)
from redis.retry import Retry

from biblio.adapters.limiter.scripts import ADMIT, REFUSE, TAKE
from biblio.domain.rate_limit import PaidCall, RateLimit
from biblio.dsn import Dsn, Options
from biblio.errors import AdapterError, InvalidInput, Misconfigured, Rejected, Unavailable
from biblio.ports.limiter import ASK_EVERY, PLACE_SECONDS, Limiter

_PARTS = ("state", "line", "places", "served", "booked", "recent")

_AWAY: tuple[type[AdapterError], str] = (Unavailable, "The limiter's server does not answer, or cannot now.")
_LOGIN: tuple[type[AdapterError], str] = (Misconfigured, "The limiter's server refuses these credentials.")

# A server's own code comes first, where the library has no type for it: a full disk is one.
TABLE: dict[str | type[BaseException], tuple[type[AdapterError], str]] = {
    "BUSY": _AWAY,
    "MISCONF": _AWAY,
    "NOREPLICAS": _AWAY,
    AuthenticationError: _LOGIN,
    AuthenticationWrongNumberOfArgsError: _LOGIN,
    AuthorizationError: _LOGIN,
    NoPermissionError: _LOGIN,
    MovedError: (
        Misconfigured,
        "The limiter's server is one of a cluster: give an address that answers for all of it.",
    ),
    BusyLoadingError: _AWAY,
    ClusterError: _AWAY,
    ConnectionError: _AWAY,
    MaxConnectionsError: _AWAY,
    OutOfMemoryError: _AWAY,
    ReadOnlyError: _AWAY,
    TimeoutError: _AWAY,
    TryAgainError: _AWAY,
    RedisError: (Rejected, "The limiter's server refused the request."),
}


class BucketOptions(Options):
    """`timeout` in seconds, for connecting and for each answer; `prefix` stands before every key."""

    timeout: float = Field(default=5, gt=0)
    prefix: str = "biblio:bucket:"


class TokenBucket:
    """See `biblio.ports.limiter.Limiter`. Safe for threads; connects when first used."""

    def __init__(self, client: "Redis", prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._take = client.register_script(TAKE)
        self._admit = client.register_script(ADMIT)
        self._refuse = client.register_script(REFUSE)

    def prepare(self) -> None:
        self.ping()

    def ping(self) -> None:
        with _translated():
            self._client.ping()

    def close(self) -> None:
        self._client.close()

    def take(self, bucket: str, *, amount: float, capacity: float, per_second: float) -> float:
        _require_sense(amount, capacity, per_second)
        with _translated():
            return float(self._take(keys=[self._prefix + bucket], args=[amount, capacity, per_second]))

    def admit(self, call: PaidCall, *, patience: float, seconds: float = PLACE_SECONDS) -> float:
        _require_sense_of(call)
        limit = call.limit
        what: list[str | float] = [
            call.id,
            call.user_id,
            call.units,
            patience,
            limit.calls or 0,
            limit.units or 0,
            limit.at_once or 0,
        ]
        with _translated():
            keys = [self._key(limit, part) for part in _PARTS]
            return float(self._admit(keys=keys, args=[*what, seconds, ASK_EVERY]))

    def keep(self, call: PaidCall, *, seconds: float = PLACE_SECONDS) -> None:
        with _translated():
            now, microseconds = self._client.time()
            until = now + microseconds / 1e6 + seconds
            self._client.zadd(self._key(call.limit, "places"), {call.id: until})

    def leave(self, call: PaidCall, *, well: bool) -> None:
        with _translated(), self._client.pipeline() as together:
            together.zrem(self._key(call.limit, "places"), call.id)
            together.hdel(self._key(call.limit, "line"), call.id)
            if well:
                together.hdel(self._key(call.limit, "state"), "refusals")
            together.execute()

    def refuse(self, limit: RateLimit, retry_after: float | None) -> float:
        # Jitter, so that several programs at one quota do not come back at once.
        args = ["" if retry_after is None else retry_after, random.uniform(0.75, 1.25)]
        with _translated():
            return float(self._refuse(keys=[self._key(limit, "state")], args=args))

    def _key(self, limit: RateLimit, part: str) -> str:
        """All of a limit in one slot of a cluster."""
        return f"{self._prefix}{{{limit.name}}}/{part}"


def connect(dsn: Dsn) -> Limiter:
    """The bucket at `dsn`, unconnected until it is used. Raises `Misconfigured`."""
    options = dsn.read_options(BucketOptions)
    if not dsn.host or not (dsn.path or "0").isdecimal():
        raise Misconfigured("A limiter's address looks like redis://:password@host:6379/1.")
    client = Redis(
        host=dsn.host,
        port=dsn.port or 6379,
        db=int(dsn.path or "0"),
        username=dsn.username,
        password=dsn.password,
        ssl=dsn.scheme == "rediss",
        socket_connect_timeout=options.timeout,
        socket_timeout=options.timeout,
        # A call whose answer was lost may have taken its tokens; whoever calls decides about another.
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    return TokenBucket(client, options.prefix)


def _require_sense(amount: float, capacity: float, per_second: float) -> None:
    if not all(isfinite(number) for number in (amount, capacity, per_second)) or amount < 0 or per_second <= 0:
        raise InvalidInput("A bucket takes finite numbers: an amount of 0 or more, and a rate above 0.")
    if amount > capacity:
        raise InvalidInput(f"An amount of {amount} never fits a bucket of {capacity}.", code="AMOUNT_ABOVE_CAPACITY")


def _require_sense_of(call: PaidCall) -> None:
    bounds = [bound for bound in (call.limit.calls, call.limit.units, call.limit.at_once) if bound is not None]
    if not all(isfinite(bound) and bound > 0 for bound in bounds) or not isfinite(call.units) or call.units < 0:
        raise InvalidInput("A limit has numbers above 0, and a call 0 units or more.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        names: list[str | type[BaseException]] = [str(error).partition(" ")[0], *type(error).__mro__]
        kind, sentence = next(TABLE[name] for name in names if name in TABLE)
        raise kind(sentence) from error
