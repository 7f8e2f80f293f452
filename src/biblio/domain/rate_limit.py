"""How much may be asked of a service, and one call of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RateLimit:
    """What all workers together may ask of one account of a service; None: as much as they like.

    `name` is the same for everybody who shares the account, and holds no secret. `calls` and `units` are a minute's:
    units are seconds of sound or tokens. `at_once` is how many calls may be under way.
    """

    name: str
    calls: float | None = None
    units: float | None = None
    at_once: int | None = None


@dataclass(frozen=True)
class PaidCall:
    """One call of so many units. `id` is its own among all there ever are; callers take turns by `user_id`."""

    limit: RateLimit
    id: str
    user_id: str
    units: float = 0.0
