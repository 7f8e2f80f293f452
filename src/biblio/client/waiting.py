"""Waiting for a video: asking often enough to be quick and seldom enough to be polite."""

import time
from collections.abc import Callable
from typing import TypeVar

from biblio.client.models import ENDED, Status
from biblio.errors import RateLimited, Unavailable

Answer = TypeVar("Answer")

SHORTEST, LONGEST = 0.2, 1.0
"""Seconds between two questions: SHORTEST when a step has just begun, since it may be a short one."""

PATIENCE = 60.0
"""Seconds that a server which has answered before may be away: long enough for a restart."""


def wait(ask: Callable[[], Status], on_change: Callable[[Status], None] | None) -> Status:
    """Ask until the status is one of ENDED; `on_change` hears the first one and every other one after it.

    Raises what `ask` raises; `Unavailable` and `RateLimited` only once they have lasted for PATIENCE.
    """
    seen = ask()
    pause = SHORTEST
    if on_change:
        on_change(seen)
    while seen["status"] not in ENDED:
        time.sleep(pause)
        status = patiently(ask)
        pause = SHORTEST if status["status"] != seen["status"] else min(LONGEST, pause * 1.3)
        if status != seen and on_change:
            on_change(status)
        seen = status
    return seen


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
