"""Ends what a killed run left behind. The folder's lock must be held: whatever still runs is then left over."""

import contextlib
import logging
import os
import signal
from pathlib import Path

import psutil

log = logging.getLogger(__name__)

MARK = "BIBLIO_FOLDER"  # in the environment of everything we start
UNREADABLE = (psutil.Error, OSError)  # gone meanwhile, or somebody else's


def mark(folder: Path) -> dict[str, str]:
    return {MARK: str(folder)}


def find(folder: Path) -> list[psutil.Process]:
    """Processes started for this data folder, without the caller and those above it."""
    here = psutil.Process()
    above = {os.getpid(), *(parent.pid for parent in here.parents())}
    return [process for process in psutil.process_iter() if process.pid not in above and _belongs(process, folder)]


def _belongs(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(*UNREADABLE):
        if process.environ().get(MARK) == str(folder):
            return True
    # PostgreSQL's own children overwrite their environment with their title, but all work in the data folder.
    with contextlib.suppress(*UNREADABLE):
        return process.name() == "postgres" and _works_in(process, folder / "postgres")
    return False


def _works_in(process: psutil.Process, folder: Path) -> bool:
    if any(Path(argument).is_relative_to(folder) for argument in process.cmdline()):
        return True
    return Path(process.cwd()).is_relative_to(folder)


def end(folder: Path, patience: float) -> int:
    """Ends them all, with SIGKILL after `patience` seconds. Returns how many there were."""
    found = find(folder)
    for process in found:
        if _is_supervisor(process):
            _send(process, signal.SIGKILL)  # first: it would start the others again
    for process in found:
        _ask_to_end(process, {other.pid for other in found})
    _, alive = psutil.wait_procs(found, timeout=patience)
    for process in {*alive, *find(folder)}:
        log.warning("process %s of %s had to be killed", process.pid, folder)
        _send(process, signal.SIGKILL)
    psutil.wait_procs(find(folder), timeout=2)
    return len(found)


def _is_supervisor(process: psutil.Process) -> bool:
    with contextlib.suppress(*UNREADABLE):
        return "supervisor.supervisord" in process.cmdline()
    return False


def _ask_to_end(process: psutil.Process, ours: set[int]) -> None:
    with contextlib.suppress(*UNREADABLE):
        if process.name() != "postgres":
            process.terminate()
        elif process.ppid() not in ours:
            # SIGINT is PostgreSQL's fast stop; its children take other meanings from signals and obey their parent.
            process.send_signal(signal.SIGINT)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(*UNREADABLE):
        process.send_signal(number)
