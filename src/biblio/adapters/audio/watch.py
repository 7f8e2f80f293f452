"""The eye on a running extraction: tells the caller how far it is, and gives up when nothing moves."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.report import Report
from biblio.errors import Rejected, Unavailable

BEAT = 0.4  # seconds between two calls of `on_progress`, however slow the film: a lease hangs on them
MOST_READINGS = 4  # times the film's own size that may be read from storage, and
SPARE_READING = 256 * 1024**2  # bytes on top: only a film made to annoy needs more


T = TypeVar("T")


class Watch:
    """Looks at one run. `stall`: seconds without any movement; `timeout`: seconds for everything."""

    def __init__(
        self, relay: Relay, report: Report, on_progress: Callable[[float], None], *, stall: float, timeout: float
    ) -> None:
        self._relay, self._tape, self._report, self._on_progress = relay, relay.tape, report, on_progress
        self._stall, self._timeout = stall, timeout
        self._began = self._moved = time.monotonic()
        self._told = 0.0
        self._progress = 0.0
        self._seen: tuple[float, int, int] = (0.0, 0, 0)

    def during(self, work: Callable[[], T]) -> T:
        """What `work`, which reads the tape, gives; storage may keep it waiting, and we look meanwhile."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="tape")
        try:
            future = pool.submit(work)
            while not wait([future], BEAT).done:
                self.look()
            return future.result()
        finally:
            pool.shutdown(wait=False)

    def look(self) -> None:
        """Raises what storage raised, what `on_progress` raises, and `Unavailable` or `Rejected` to stop the work."""
        if self._relay.failure is not None:
            raise self._relay.failure
        now = time.monotonic()
        self._check_movement(now)
        if now - self._began > self._timeout:
            raise Unavailable(f"The sound was not out of the video after {self._timeout:g} s.", code="EXTRACT_TIMEOUT")
        if self._tape.transferred > MOST_READINGS * self._tape.size + SPARE_READING:
            raise Rejected("The file makes its reader go round in circles.", code="MEDIA_TOO_COSTLY")
        if now - self._told >= BEAT:
            self._told = now
            self._on_progress(self._estimate())

    def _check_movement(self, now: float) -> None:
        seen = (self._report.done, self._tape.transferred, self._relay.requests)
        waiting = self._tape.waiting()
        if seen != self._seen or 0 < waiting < self._stall:  # slow storage is not the film's fault
            self._seen, self._moved = seen, now
        elif now - self._moved > self._stall:
            who = "Storage" if waiting else "ffmpeg"
            raise Unavailable(f"{who} did not move for {self._stall:g} s.", code="EXTRACT_STALLED")

    def _estimate(self) -> float:
        # A header may lie or say nothing; the place on the tape then says more.
        if self._report.declared:
            share = self._report.done / self._report.declared
        else:
            share = self._tape.position / self._tape.size
        self._progress = max(self._progress, min(share, 0.99))
        return self._progress
