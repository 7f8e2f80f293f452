"""Several spans on their way at a time, each lane with a connection of its own."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from biblio.client.delivery import Delivery, Sending
from biblio.client.put import Connection
from biblio.client.source import Stopped
from biblio.errors import BiblioError

TICK = 0.1
"""Seconds between two looks at the progress, and the longest that Ctrl-C waits for its answer on any system."""


class Lanes:
    """`count` threads that deliver the spans `numbers` in order."""

    def __init__(self, sending: Sending, numbers: Sequence[int], count: int) -> None:
        self._sending = sending
        self._waiting = deque(numbers)
        self._open = min(count, len(numbers))
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()

    def run(self, tick: Callable[[], None]) -> None:
        """Returns when all have arrived. The first error that no further try heals stops every lane and is raised here.

        `tick` is called in this thread now and then. The lanes are daemons: whoever leaves is not kept by a connection
        that hangs.
        """
        lanes = [threading.Thread(target=self._lane, daemon=True) for _ in range(self._open)]
        try:
            for lane in lanes:
                lane.start()
            while lanes and not self._over.wait(TICK):
                tick()
        finally:
            self._sending.stop.set()
        if self._error:
            raise self._error
        tick()

    def _lane(self) -> None:
        try:
            with Connection() as connection:
                while (number := self._take()) is not None:
                    Delivery(self._sending, number).run(connection)
        except Stopped:
            pass
        except (BiblioError, OSError) as error:
            self._fail(error)
        except RuntimeError as error:
            if not self._sending.stop.is_set():  # else the client was closed behind the back of a lane that ends anyway
                self._fail(error)
                raise
        except BaseException as error:
            self._fail(error)
            raise

    def _take(self) -> int | None:
        """The next number; None when this lane is to end, which is then no longer counted."""
        with self._lock:
            if self._waiting and not self._sending.stop.is_set():
                return self._waiting.popleft()
            self._open -= 1
            if not self._open:
                self._over.set()
            return None

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
        self._sending.stop.set()
        self._over.set()
