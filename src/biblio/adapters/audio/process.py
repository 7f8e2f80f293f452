"""One running ffmpeg: its two streams of lines, and an end that always comes."""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from biblio.adapters.audio.report import Lines, Report
from biblio.adapters.audio.sandbox import ENVIRONMENT
from biblio.errors import Unavailable

TICK = 0.25  # seconds between two looks at the clock while nothing is said
BREATH = 0.002  # seconds between two looks at what it says, and at whether it has ended
PATIENCE = 20  # seconds until it listens, which takes a hundredth of one


class Process:
    """A caged `command` in `folder`, in a process group of its own that is killed when the `with` block ends."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._channel, its = socket.socketpair()
        with its:
            self._child = subprocess.Popen(
                command,
                cwd=folder,
                env=ENVIRONMENT,
                stdin=its.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()
        self._channel.close()
        for stream in (self._child.stdout, self._child.stderr):
            assert stream is not None
            stream.close()

    def listener(self) -> socket.socket:
        """The socket that the command will call, made on its side. Raises `Unavailable` when none comes."""
        self._channel.settimeout(PATIENCE)
        with suppress(TimeoutError):
            sockets = socket.recv_fds(self._channel, 1, 1)[1]
            if sockets:
                return socket.socket(fileno=sockets[0])
        raise Unavailable(f"ffmpeg's cage could not be closed. {self._last_words()}".rstrip())

    def cpu(self) -> float:
        """Seconds of computing so far."""
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(self._child.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

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
                time.sleep(BREATH)  # lets a program that talks letter by letter say more at once
        # Its streams may end before it does, on purpose too.
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            time.sleep(BREATH)
            on_tick()
        return self._end()

    def _last_words(self) -> str:
        """Of a command that never came to listen."""
        self._end()
        assert self._child.stderr is not None
        return self._child.stderr.read(4096).decode(errors="replace").strip()

    def _end(self) -> int:
        # What it started dies with it. The group is killed before the child is reaped: later its number could be taken.
        if self._child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
        return self._child.wait()


def _pass_on(key: selectors.SelectorKey) -> bool:
    """Whether the stream goes on."""
    data = os.read(key.fd, 65536)
    lines, hear = key.data
    for line in lines.feed(data if data else b"\n"):
        hear(line)
    return bool(data)
