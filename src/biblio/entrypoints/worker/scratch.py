"""A folder for what a worker's processes write while they work. It goes with its worker, however that dies."""

import fcntl
import logging
import os
import shutil
import tempfile
from multiprocessing import util
from pathlib import Path

PREFIX = "biblio-worker-"

AFTER_ALL = -1000
"""Python's own processes and queues clear up behind themselves first."""

log = logging.getLogger(__name__)


class Scratch:
    """The worker's folder, with one for each of its processes. What dead workers left behind is removed first.

    A lock tells a living worker's folder: the system frees it at its owner's death, and it says no more than process
    ids do where several machines or containers share a folder.
    """

    def __init__(self) -> None:
        self._beside = Path(tempfile.gettempdir())
        self.remove_left_behind()
        self.folder, self._lock = _claim()
        util.Finalize(None, self.remove, exitpriority=AFTER_ALL)

    def enter(self) -> None:
        """This process, the worker or a child of it, writes its temporary files here from now on."""
        own = self._of(os.getpid())
        own.mkdir(mode=0o700, exist_ok=True)
        tempfile.tempdir = str(own)

    def remove(self, pid: int | None = None) -> None:
        """What the process `pid` left; with None all of it."""
        shutil.rmtree(self.folder if pid is None else self._of(pid), ignore_errors=True)

    def remove_left_behind(self) -> None:
        """Folders of dead workers. To be done again: a child that outlives its worker for a moment holds its lock."""
        for folder in self._beside.glob(f"{PREFIX}*"):
            _remove_unlocked(folder)

    def _of(self, pid: int) -> Path:
        return self.folder / str(pid)


def _claim() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # as below, a moment earlier
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # another worker, just starting, may have taken it for one left behind
            return folder, lock
        os.close(lock)


def _remove_unlocked(folder: Path) -> None:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # another user's, or gone already
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        log.info("a dead worker's files were removed: %s", folder.name)
    except BlockingIOError:
        return
    finally:
        os.close(lock)
