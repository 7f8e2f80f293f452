"""Ports that fail at one write of many, before or after it was done; and an eye on every one of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from biblio.errors import Unavailable
from biblio.pipeline.services import Services

WRITES = {"storage": ("write", "remove"), "vectors": ("upsert", "remove"), "queue": ("publish",)}


class Died(BaseException):
    """The process is gone: nobody catches it."""


def away() -> BaseException:
    return Unavailable("It went away in the middle.")


@dataclass
class Fate:
    """The write number `at` (from 1; 0: none) raises what `error` makes, `before` it is done or after.

    Counted are those of the thread that made this; after each of them `watch` looks at what readers see.
    """

    at: int = 0
    before: bool = True
    error: Callable[[], BaseException] = away
    watch: Callable[[], None] = lambda: None
    writes: list[str] = field(default_factory=list)
    thread: threading.Thread = field(default_factory=threading.current_thread)

    @property
    def has_struck(self) -> bool:
        return 0 < self.at <= len(self.writes)

    def services(self, services: Services) -> Services:
        ports = {name: _Port(self, getattr(services, name), name, calls) for name, calls in WRITES.items()}
        replaced: dict[str, Any] = {**ports, "catalog": _Catalog(self, services.catalog)}
        return replace(services, **replaced)

    def write(self, name: str) -> AbstractContextManager[None]:
        return self._write(name) if threading.current_thread() is self.thread else nullcontext()

    def begin(self, name: str) -> bool:
        """Whether it is the one. Raises before it is done."""
        self.writes.append(name)
        is_struck = len(self.writes) == self.at
        if is_struck and self.before:
            raise self.error()
        return is_struck

    def end(self, is_struck: bool) -> None:
        self.watch()
        if is_struck:
            raise self.error()

    @contextmanager
    def _write(self, name: str) -> Iterator[None]:
        is_struck = self.begin(name)
        yield
        self.end(is_struck)


class _Port:
    def __init__(self, fate: Fate, port: Any, name: str, calls: tuple[str, ...]) -> None:
        self._fate, self._port, self._name, self._calls = fate, port, name, calls

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if name not in self._calls:
            return real

        def call(*arguments: Any, **more: Any) -> Any:
            with self._fate.write(f"{self._name}.{name}"):
                return real(*arguments, **more)

        return call


class _Catalog:
    """Of its transactions, the commit is the write: one that fails before it leaves nothing."""

    def __init__(self, fate: Fate, catalog: Any) -> None:
        self._fate, self._catalog = fate, catalog

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    @contextmanager
    def transaction(self, **more: Any) -> Iterator[Any]:
        if threading.current_thread() is not self._fate.thread:
            with self._catalog.transaction(**more) as tx:
                yield tx
            return
        with self._catalog.transaction(**more) as tx:
            yield tx
            is_struck = self._fate.begin("commit")
        self._fate.end(is_struck)
