"""A token bucket in Redis or Valkey: `redis://:password@host:port/database`, `rediss://` over TLS.

One script, run by the server as one step and on the server's clock, so that workers need no clock in common.
"""

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

from biblio.dsn import Dsn, Options
from biblio.errors import AdapterError, InvalidInput, Misconfigured, Rejected, Unavailable
from biblio.ports.limiter import Limiter

# A full bucket and a missing one are the same, so the key may go once the bucket would be full. A clock set back gives
# no tokens, and the count goes on from there. Numbers travel as text: Redis cuts a script's numbers to integers.
_TAKE = """
local amount, capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local seen = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(seen[1] or capacity), tonumber(seen[2] or now)
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
if tokens < amount then
  return string.format('%.6f', math.ceil((amount - tokens) / rate * 1000000) / 1000000)
end
tokens = tokens - amount
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate * 1000) + 1000)
return '0'
"""

_AWAY: tuple[type[AdapterError], str] = (Unavailable, "The limiter's server does not answer, or cannot now.")
_LOGIN: tuple[type[AdapterError], str] = (Misconfigured, "The limiter's server refuses these credentials.")

TABLE: dict[type[BaseException], tuple[type[AdapterError], str]] = {
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
        self._script = client.register_script(_TAKE)

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
            return float(self._script(keys=[self._prefix + bucket], args=[amount, capacity, per_second]))


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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        kind, sentence = next(TABLE[name] for name in type(error).__mro__ if name in TABLE)
        raise kind(sentence) from error
