"""The eye on a running extraction: tells the caller how far it is, and gives up when nothing moves."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from biblio.adapters.audio.cost import check_cost
from biblio.adapters.audio.process import Process
from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.report import Report
from biblio.errors import Unavailable

BEAT = 0.4  # seconds between two calls of `on_progress`, however slow the film: a lease hangs on them

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """In seconds. `stall`: without any movement; `timeout`: for everything; `longest`: of sound."""

    stall: float
    timeout: float
    longest: float


class Watch:
    """Looks at one run of `process`, every few hundredths of a second, and stops it by raising."""

    def __init__(
        self, process: Process, relay: Relay, report: Report, on_progress: Callable[[float], None], patience: Patience
    ) -> None:
        self._process, self._relay, self._tape = process, relay, relay.tape
        self._report, self._on_progress, self._patience = report, on_progress, patience
        self._began = self._moved = time.monotonic()
        self._told = 0.0
        self._progress = 0.0
        self._seen: tuple[float, int, int, float] = (0.0, 0, 0, 0.0)

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
        cpu = self._process.cpu()
        self._check_movement(now, cpu)
        if now - self._began > self._patience.timeout:
            limit = f"{self._patience.timeout:g} s"
            raise Unavailable(f"The sound was not out of the video after {limit}.", code="EXTRACT_TIMEOUT")
        check_cost(self._report, self._tape, cpu=cpu, longest=self._patience.longest)
        if now - self._told >= BEAT:
            self._told = now
            self._on_progress(self._estimate())

    def _check_movement(self, now: float, cpu: float) -> None:
        # Computing is movement too: how much of it is too much is a matter of its own.
        seen = (self._report.done, self._tape.transferred, self._relay.requests, cpu)
        waiting = self._tape.waiting()
        if seen != self._seen or 0 < waiting < self._patience.stall:  # slow storage is not the film's fault
            self._seen, self._moved = seen, now
        elif now - self._moved > self._patience.stall:
            who = "Storage" if waiting else "ffmpeg"
            raise Unavailable(f"{who} did not move for {self._patience.stall:g} s.", code="EXTRACT_STALLED")

    def _estimate(self) -> float:
        # A header may lie or say nothing; the place on the tape then says more.
        if self._report.declared:
            share = self._report.done / self._report.declared
        else:
            share = self._tape.position / self._tape.size
        self._progress = max(self._progress, min(share, 0.99))
        return self._progress
