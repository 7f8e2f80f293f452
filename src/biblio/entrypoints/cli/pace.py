"""How fast bytes go out, and how long the rest will take."""

import time
from collections.abc import Callable

from rich.filesize import decimal

from biblio.entrypoints.cli.output import clock

WINDOW = 20.0
"""Seconds looked back on: long enough to smooth the jumps of parts, short enough to follow the line."""
GRAIN = 0.25
"""Seconds between samples."""
SETTLED = 2.0
"""Seconds after which the speed means something: the first bytes only fill buffers."""


class Pace:
    """Of the bytes noted since the first note: what was there before this session does not count.

    Notes come from one thread; any may ask. `now` tells seconds.
    """

    def __init__(self, size: int, now: Callable[[], float] = time.monotonic) -> None:
        self._size, self._now = size, now
        self._samples: list[tuple[float, int]] = []

    def note(self, sent: int) -> None:
        now, samples = self._now(), self._samples
        settled = samples if len(samples) < 2 or now - samples[-2][0] >= GRAIN else samples[:-1]
        self._samples = [*_recent(settled, now), (now, sent)]

    def speed(self) -> float:
        """Bytes a second; 0 when nothing is known, or nothing has moved for WINDOW."""
        now = self._now()
        samples = _recent(self._samples, now)
        if not samples or now - samples[0][0] < SETTLED:
            return 0.0
        return max(0.0, (samples[-1][1] - samples[0][1]) / (now - samples[0][0]))

    def is_stuck(self) -> bool:
        """Nothing has moved for WINDOW."""
        return bool(self._samples) and self._now() - self._samples[-1][0] >= WINDOW

    def words(self) -> str:
        """`1.2 MB/s  3:20 left`, or why there is nothing to say."""
        speed = self.speed()
        if not speed:
            return "waiting for the line" if self.is_stuck() else ""
        return f"{decimal(int(speed))}/s  {clock((self._size - self._samples[-1][1]) / speed)} left"

    def percent(self) -> int:
        return percent(self._samples[-1][1] if self._samples else 0, self._size)


def percent(sent: int, size: int) -> int:
    return 100 * sent // size if size else 0


def _recent(samples: list[tuple[float, int]], now: float) -> list[tuple[float, int]]:
    return [sample for sample in samples if sample[0] > now - WINDOW]
