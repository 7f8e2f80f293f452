"""Talks to supervisord, which starts programs, writes their logs and starts again what dies."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from biblio.errors import Unavailable
from biblio.local import supervisor_files
from biblio.local.folder import DataFolder, open_private
from biblio.local.program import Program
from biblio.local.supervisor_log import Ended, LogTail, SupervisorLog

SOCKET_PATH_LIMIT = 90  # bytes; the system's is 104 (macOS) or 108, and supervisord adds its process id while binding
START_SECONDS = 20
UP = {"STARTING", "RUNNING"}
DOWN = {"STOPPED", "EXITED", "FATAL"}
UNREACHABLE = (OSError, HTTPException)


class Supervisor:
    """A supervisord of our own for one data folder.

    On Linux it stops everything when the thread that called `start` is gone, so call it from one that stays.
    """

    def __init__(self, folder: DataFolder, programs: Sequence[Program]) -> None:
        self._folder = folder
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = _socket_path(folder)
        self._log = SupervisorLog(folder.path / supervisor_files.OWN_LOG)
        self._tails = {program.name: LogTail(folder.logs / f"{program.name}.log") for program in programs}

    def start(self) -> None:
        """Starts supervisord itself and none of the programs. Raises `Unavailable`."""
        command = supervisor_files.write(self._folder, self._programs, self._socket)
        with open(self._folder.logs / "supervisord.err", "wb", opener=open_private) as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        if not _wait(lambda: not self.alive or self._answers(), START_SECONDS) or not self.alive:
            said = (self._folder.logs / "supervisord.err").read_text(errors="replace")[-2000:]
            raise Unavailable(f"supervisord did not start:\n{said}", code="START_FAILED")

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def run(self, name: str) -> None:
        try:
            self._call("startProcess", name, False)
        except Fault as fault:
            raise Unavailable(f"{name} cannot be started: {fault.faultString}", code="START_FAILED") from fault

    def is_running(self, name: str) -> bool:
        """It has lived for a second."""
        info = self._call("getProcessInfo", name)
        return bool(info["statename"] in UP and info["now"] - info["start"] >= 1)

    def news(self) -> list[Ended]:
        """What ended since the last call."""
        return self._log.news()

    def last_lines(self, name: str, lines: int = 12) -> str:
        """What the program wrote last, of what it wrote since this object was made."""
        return self._tails[name].last(lines)

    def stop_programs(self, names: Iterable[str], seconds: float) -> None:
        """Stops them side by side; returns when they are down or `seconds` have passed."""
        wanted = set(names)
        if not wanted or not self._answers():
            return
        for name in wanted:
            self._ask_to_stop(name)
        _wait(lambda: self._down(wanted), seconds)

    def _ask_to_stop(self, name: str) -> None:
        try:
            self._call("stopProcess", name, False)
        except Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise

    def _down(self, names: set[str]) -> bool:
        try:
            infos = self._call("getAllProcessInfo")
        except UNREACHABLE:
            return True
        return all(info["statename"] in DOWN for info in infos if info["name"] in names)

    def stop(self) -> None:
        """Ends supervisord; programs still running are the caller's to end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._socket.parent != self._folder.run:
            shutil.rmtree(self._socket.parent, ignore_errors=True)
        self._socket.unlink(missing_ok=True)
        supervisor_files.remove_launches(self._folder)

    def _answers(self) -> bool:
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except UNREACHABLE:
            return False

    def _call(self, method: str, *arguments: Any) -> Any:
        # A new connection each time: after one error the transport's own stays unusable.
        transport = SupervisorTransport("", "", serverurl=f"unix://{self._socket}")
        with ServerProxy("http://127.0.0.1", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


def _socket_path(folder: DataFolder) -> Path:
    path = folder.run / "supervisor.sock"
    if len(bytes(path)) <= SOCKET_PATH_LIMIT:
        return path
    return Path(tempfile.mkdtemp(prefix="biblio-")) / "supervisor.sock"
