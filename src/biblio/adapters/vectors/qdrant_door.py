"""Where Qdrant is: a server, or its library's own store in a folder of this machine."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from qdrant_client import QdrantClient

MEMORY = ":memory:"
"""Instead of a folder: gone with the last store that is closed."""

_gate = threading.RLock()
_open: dict[str, QdrantClient] = {}
_users: dict[str, int] = {}


class Door(Protocol):
    is_local: bool

    def client(self) -> AbstractContextManager[QdrantClient]:
        """Raises Qdrant's errors; of a folder, `OSError`, and `RuntimeError` where another process has it."""

    def close(self) -> None: ...


class Server:
    is_local = False

    def __init__(self, url: str, prefix: str, key: str | None, seconds: int) -> None:
        self._client = QdrantClient(
            url=url,
            prefix=prefix or None,
            api_key=key,
            timeout=seconds,
            prefer_grpc=False,
            check_compatibility=False,  # it would call in a thread of its own, and warn
        )

    @contextmanager
    def client(self) -> Iterator[QdrantClient]:
        yield self._client

    def close(self) -> None:
        self._client.close()


class Folder:
    """All stores of a process share a folder, as no second one may open it; one of them calls at a time."""

    is_local = True

    def __init__(self, place: str) -> None:
        self._place = place
        self._is_mine = False

    @contextmanager
    def client(self) -> Iterator[QdrantClient]:
        with _gate:
            if not self._is_mine:
                if self._place not in _open:
                    _open[self._place] = _opened(self._place)
                _users[self._place] = _users.get(self._place, 0) + 1
                self._is_mine = True
            yield _open[self._place]

    def close(self) -> None:
        with _gate:
            if self._is_mine:
                self._is_mine = False
                _users[self._place] -= 1
                if not _users[self._place]:
                    _open.pop(self._place).close()


def _opened(place: str) -> QdrantClient:
    if place == MEMORY:
        return QdrantClient(location=MEMORY)
    return QdrantClient(path=place, force_disable_check_same_thread=True)  # the gate keeps threads apart
