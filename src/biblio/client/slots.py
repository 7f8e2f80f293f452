"""How many spans are under way at once: one, or more on a good line when there is long to go."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from biblio.client.source import Stopped

LONG = 120.0
"""Seconds that an upload must still take before a second span goes beside the first. A client that is killed loses what
is under way: one span at most while the end is near, and little of what is still to come when it is not."""

EARNED = 4
"""Spans that arrive in a row without a break earn another slot, and a break takes all but one."""

GLANCE = 0.1
"""Seconds after which somebody who waits looks whether it is all over."""


class Slots:
    """One at first, up to `most` while `is_long()`, given in the order asked for.

    Who waits raises `Stopped` when `stop` is set.
    """

    def __init__(self, most: int, is_long: Callable[[], bool], stop: threading.Event) -> None:
        self._most, self._is_long, self._stop = most, is_long, stop
        self._taken = self._in_a_row = 0
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """For the time that a span is under way. To leave it by an exception is a break."""
        self._wait_for_turn()
        arrived = False
        try:
            yield
            arrived = True
        finally:
            with self._changed:
                self._taken -= 1
                self._in_a_row = self._in_a_row + 1 if arrived else 0
                self._changed.notify_all()

    def _wait_for_turn(self) -> None:
        me = object()
        with self._changed:
            self._queue.append(me)
            while self._queue[0] is not me or self._taken >= self._earned():
                if self._stop.is_set():
                    raise Stopped
                self._changed.wait(GLANCE)
            self._queue.popleft()
            self._taken += 1
            self._changed.notify_all()

    def _earned(self) -> int:
        return min(self._most, 1 + self._in_a_row // EARNED) if self._is_long() else 1
