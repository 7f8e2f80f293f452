"""Who waits for news of whom. One connection listens to the catalog, however many wait. Nothing is queued for them:
each is told that there may be something, and reads the log from where it is."""

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from biblio.errors import BiblioError, RateLimited
from biblio.ports.catalog import Catalog

MOST_SOCKETS = 20
"""Of one user, at this process."""
READERS = 4
"""Threads that read the log, for all sockets together."""
QUIET_SECONDS = 2.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class Feed:
    """Its methods belong to the event loop. The thread that listens starts with the first who waits."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._readers = CapacityLimiter(READERS)
        self._listener: threading.Thread | None = None
        self._closed = threading.Event()

    @contextmanager
    def news_of(self, user_id: str) -> Iterator[asyncio.Event]:
        """Set whenever something may have happened to the user's videos; whoever has read clears it.

        Raises `RateLimited` TOO_MANY_SOCKETS.
        """
        mine = self._waiting.setdefault(user_id, set())
        if len(mine) >= MOST_SOCKETS:
            message = f"{MOST_SOCKETS} sockets of yours are open at this server: close one first."
            raise RateLimited(message, code="TOO_MANY_SOCKETS", limit=MOST_SOCKETS)
        news = asyncio.Event()
        mine.add(news)
        self._start()
        try:
            yield news
        finally:
            mine.discard(news)
            if not mine:
                self._waiting.pop(user_id, None)

    async def read(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` returns, in a thread: the catalog is synchronous."""
        return await to_thread.run_sync(ask, limiter=self._readers, abandon_on_cancel=True)

    def close(self) -> None:
        self._closed.set()

    def _start(self) -> None:
        if self._listener is None or not self._listener.is_alive():
            loop = asyncio.get_running_loop()
            self._listener = threading.Thread(target=self._listen, args=(loop,), name="event-feed", daemon=True)
            self._listener.start()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                for user_id in self._heard():
                    failures = 0
                    loop.call_soon_threadsafe(self._wake, user_id)
            except BiblioError as error:
                failures += 1
                pause = pause_after(failures)
                log.warning("news are not heard for now, next try in %.1f s: %s", pause, error)
                self._closed.wait(pause)
            except RuntimeError:  # the loop has ended, and with it everybody who waited
                return

    def _heard(self) -> Iterator[str | None]:
        """Users with news; None at first: nobody heard what happened before."""
        with self._catalog.listen(seconds=QUIET_SECONDS) as heard:
            yield None
            for user_id in heard:
                if self._closed.is_set():
                    return
                if user_id is not None:
                    yield user_id

    def _wake(self, user_id: str | None) -> None:
        chosen = self._waiting.values() if user_id is None else [self._waiting.get(user_id, set())]
        for waiting in chosen:
            for news in waiting:
                news.set()


def pause_after(failures: int) -> float:
    """Seconds; at random, so that many do not come back at once."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 20)) * random.uniform(0.5, 1.5)
