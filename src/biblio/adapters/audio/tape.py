"""The film as a tape: read from any byte on, while storage sees few and long transfers.

ffmpeg jumps a lot (to an index at the end, over every picture), and each jump as a new request to storage would be slow
and paid for. So one transfer stays open; a short jump ahead is read through, a short jump back is answered from memory.
"""

import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from biblio.errors import Unavailable
from biblio.ports.audio import Source

REMEMBERED = 4 * 1024**2  # bytes kept for jumps back: what the socket had swallowed and ffmpeg never read
READ_THROUGH = 2 * 1024**2  # bytes ahead that are cheaper to read and drop than to ask for anew
PIECE = 256 * 1024  # bytes handed out at once at most


class Tape:
    """Gives a `Source` out piece by piece. Safe to share between threads; holds at most about 5 MiB."""

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self.position = 0  # the byte after the last one that came from storage
        self.failure: BaseException | None = None
        self.transfers = 0
        self.transferred = 0
        self._source = source
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._transfer: Iterator[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._waiting_since: float | None = None

    def read(self, start: int) -> bytes:
        """Some bytes (at most 256 KiB) from `start` on; none at the end. What storage raises stays in `failure`."""
        with self._lock:
            if self.failure is not None:  # ffmpeg asks once more; what went wrong first is what counts
                raise self.failure
            with self._remember_failure():
                piece = self._read(start)
        if self._closed:
            self.close()
        return piece

    def waiting(self) -> float:
        """Seconds that storage has now been silent for; 0 while nothing is asked of it."""
        since = self._waiting_since
        return time.monotonic() - since if since is not None else 0.0

    def close(self) -> None:
        """End the transfer. Where storage is being waited for, the thread that waits ends it as soon as it can."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._end_transfer()
            finally:
                self._lock.release()

    def _read(self, start: int) -> bytes:
        if self._closed or start >= self.size:
            return b""
        if self._transfer is None or not self._oldest() <= start <= self.position + READ_THROUGH:
            self._begin_transfer(start)
        while start >= self.position:
            self._pull()
        return self._remembered(start)

    def _remembered(self, start: int) -> bytes:
        # From the newest back: that is where almost every read looks.
        for begin, piece in reversed(self._pieces):
            if begin <= start:
                return piece[start - begin : start - begin + PIECE]
        raise AssertionError("the tape was asked for a byte it had not read")

    def _pull(self) -> None:
        assert self._transfer is not None
        self._waiting_since = time.monotonic()
        try:
            piece = next(self._transfer, b"")
        finally:
            self._waiting_since = None
        if not piece:
            raise Unavailable(f"Storage ended the transfer at byte {self.position} of {self.size}.", code="SHORT_READ")
        self._pieces.append((self.position, piece))
        self.position += len(piece)
        self.transferred += len(piece)
        while len(self._pieces) > 1 and self.position - self._pieces[1][0] >= REMEMBERED:
            self._pieces.popleft()

    def _oldest(self) -> int:
        return self._pieces[0][0] if self._pieces else self.position

    def _begin_transfer(self, start: int) -> None:
        self._end_transfer()
        self._pieces.clear()
        self.position = start
        self.transfers += 1
        self._transfer = self._source.read(start)

    def _end_transfer(self) -> None:
        transfer, self._transfer = self._transfer, None
        if isinstance(transfer, Generator):
            transfer.close()  # any other iterator ends its transfer when it is forgotten

    @contextmanager
    def _remember_failure(self) -> Iterator[None]:
        # The reader is a thread of the relay; the error belongs to the caller of `extract`, whatever it is.
        try:
            yield
        except BaseException as error:
            self.failure = error
            raise
