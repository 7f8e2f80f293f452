"""Looking at a stack's processes."""

import time
from collections.abc import Callable
from typing import Any

import psutil

from biblio.local import orphans
from biblio.local.folder import DataFolder


def of(folder: DataFolder) -> list[psutil.Process]:
    return orphans.find(folder.path)


def named(folder: DataFolder, word: str) -> psutil.Process:
    """The oldest process of the folder with `word` in its program's path."""
    found = [process for process in of(folder) if word in process.cmdline()[0]]
    return min(found, key=lambda process: (process.create_time(), process.pid))


def listening(process: psutil.Process) -> list[Any]:
    try:
        return [c.laddr for c in process.net_connections("inet") if c.status == "LISTEN"]
    except psutil.AccessDenied:  # PostgreSQL's under another user, for a root with few rights
        return []


def eventually(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
