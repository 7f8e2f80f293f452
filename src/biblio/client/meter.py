"""How many bytes of a file are in storage or on their way there."""

import threading
import time


class Meter:
    """`there` of `size` bytes are in storage already. Safe to share between threads."""

    def __init__(self, there: int, size: int) -> None:
        self._there = self._at_first = there
        self._size = size
        self._began = time.monotonic()
        self._under_way: dict[int, int] = {}
        self._lock = threading.Lock()
        self.arrived = 0
        """Spans that have arrived since."""

    @property
    def sent(self) -> int:
        """Goes back when a span is lost. Never more than the file has."""
        with self._lock:
            return self._there + sum(self._under_way.values())

    def moving(self, number: int, sent: int) -> None:
        """`sent` bytes of span `number` have gone out; whether they arrived is not known yet."""
        with self._lock:
            self._under_way[number] = sent

    def lost(self, number: int) -> None:
        with self._lock:
            self._under_way.pop(number, None)

    def stored(self, number: int, length: int) -> None:
        with self._lock:
            self._under_way.pop(number, None)
            self._there += length
            self.arrived += 1

    def seconds_left(self) -> float:
        """By the speed at which spans arrived so far; 0.0 before the first did."""
        with self._lock:
            arrived = self._there - self._at_first
            return (self._size - self._there) * (time.monotonic() - self._began) / arrived if arrived else 0.0
