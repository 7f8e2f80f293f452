"""One running ffmpeg: its two streams of lines, and an end that always comes."""

import os
import selectors
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from biblio.adapters.audio.report import Lines, Report

TICK = 0.25  # seconds between two looks at the clock while nothing is said
# No secrets, no proxies, no language: nothing of the worker's environment.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}


class Process:
    """`command` in `folder`, in a process group of its own that is killed when the `with` block ends."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._child = subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for stream in (self._child.stdout, self._child.stderr):
            assert stream is not None
            stream.close()

    def follow(self, report: Report, on_tick: Callable[[], None]) -> int:
        """Tell `report` all that is said and call `on_tick` often, until the end; the exit code."""
        child = self._child
        assert child.stdout is not None
        assert child.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ, (Lines(), report.hear_progress))
            selector.register(child.stderr, selectors.EVENT_READ, (Lines(), report.hear_log))
            while selector.get_map():
                for key, _ in selector.select(TICK):
                    if not _pass_on(key):
                        selector.unregister(key.fileobj)
                on_tick()
        return child.wait()


def _pass_on(key: selectors.SelectorKey) -> bool:
    """Whether the stream goes on."""
    data = os.read(key.fd, 65536)
    lines, hear = key.data
    for line in lines.feed(data if data else b"\n"):
        hear(line)
    return bool(data)
