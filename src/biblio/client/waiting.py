"""Waiting for a video: on its live socket, or by asking often enough to be quick and seldom enough to be polite."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from biblio.client.live import Live
from biblio.client.models import ENDED, Status
from biblio.errors import BiblioError, RateLimited, Unavailable

Answer = TypeVar("Answer")

SHORTEST, LONGEST = 0.2, 1.0
"""Seconds between two questions: SHORTEST when a step has just begun, since it may be a short one."""

PATIENCE = 60.0
"""Seconds that a server which has answered before may be away: long enough for a restart."""

FIRST_SECONDS = 10.0
"""A socket that has told nothing by then is none: something on the way swallows what it says."""

INCOMPARABLE = frozenset({"updated_at", "event_id"})
"""What two tellings of the same state may differ in."""


class _Waiting:
    """`seen` is the newest status; `on_change` hears each that is another than the one before."""

    def __init__(self, on_change: Callable[[Status], None] | None) -> None:
        self._on_change = on_change
        self.seen: Status | None = None

    def has_ended(self, status: Status) -> bool:
        before, self.seen = self.seen, status
        if self._on_change and (before is None or _differ(before, status)):
            self._on_change(status)
        return status["status"] in ENDED

    def listen(self, watch: Callable[[], AbstractContextManager[Live]]) -> bool:
        """On a socket, until the end or for as long as it lasts. Whether it told anything."""
        before = self.seen
        try:
            with watch() as live:
                status = live.receive(FIRST_SECONDS)
                while status is not None and not self.has_ended(status):
                    status = live.receive()
        except BiblioError:
            pass  # asking tells what is wrong
        return self.seen is not before


def wait(
    ask: Callable[[], Status],
    watch: Callable[[], AbstractContextManager[Live]],
    on_change: Callable[[Status], None] | None,
) -> Status:
    """Until the status is one of ENDED; `on_change` hears the first one and every other one after it.

    Raises what `ask` raises; `Unavailable` and `RateLimited` only once they have lasted for PATIENCE.
    """
    waiting, pause, has_sockets = _Waiting(on_change), SHORTEST, True
    while True:
        has_sockets = has_sockets and waiting.listen(watch)
        before = waiting.seen
        if before is not None and before["status"] in ENDED:
            return before
        status = patiently(ask) if before is not None else ask()
        if waiting.has_ended(status):
            return status
        is_new = before is None or before["status"] != status["status"]
        pause = SHORTEST if is_new or has_sockets else min(LONGEST, pause * 1.3)
        time.sleep(pause)


def patiently(ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns, asked again while the server is away or asks for patience itself. Raises as `wait`."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except (Unavailable, RateLimited) as error:
            pause = error.details.get("retry_after") or LONGEST
            if time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)


def _differ(one: Status, other: Status) -> bool:
    shared = one.keys() & other.keys() - INCOMPARABLE
    return any(one[name] != other[name] for name in shared)  # type: ignore[literal-required]
