"""Named moments in the work of a process, at each of which a storm may end it, or let it stand still.

An order is a file with the moment's name; the process that takes it away obeys it. So each order is obeyed once, by
whoever comes there first.
"""

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import NoReturn

from biblio.ports.jobs import Claim

STEPS = ("extract", "transcribe", "embed", "index", "cleanup", "delete")
COMMITS = ("before-commit", "after-commit")
AROUND = ("before", "after")
THROUGH = ("start", "middle", "end")


WAY = STEPS[:4]


def _named(places: tuple[str, ...], deeds: str, moments: tuple[str, ...]) -> list[str]:
    return [f"{place} {deed} {moment}" for place in places for deed in deeds.split(", ") for moment in moments]


PUBLISHING = (
    *_named((*WAY, "api", "sweep"), "publish", AROUND),
    *_named((*WAY, "api", "sweep"), "told", COMMITS),
    *_named(("api",), "create, " + ", ".join(f"request {step}" for step in STEPS), COMMITS),
    "sweep due after-commit",
)
"""Around a commit and the message that follows it, in workers, API and sweep."""

WORKING = (
    *_named(STEPS, "claim", COMMITS),
    *_named(STEPS[:5], "done", COMMITS),
    *_named(("transcribe",), "checkpoint, renew", COMMITS),
    *_named(("extract",), "sound, read, write", THROUGH),
    *_named(("transcribe",), "speech, read, write", THROUGH),
    *_named(("embed",), "embedder", AROUND),
    *_named(("embed",), "read, write", THROUGH),
    *_named(("index",), "upsert, probe", AROUND),
    *_named(("index",), "read", THROUGH),
    *_named(("cleanup",), "renew", COMMITS),
    *_named(("cleanup",), "remove", AROUND),
    *_named(("delete",), "unindex, remove", AROUND),
    *_named(("delete",), "forget, checkpoint", COMMITS),
)
"""Each step's start, middle and end, before and after each commit and each write to a store."""


@dataclass(frozen=True)
class Fired:
    """What happened by order, and to which work: `group` are the process ids that went with `pid`; `at` as `time()`."""

    point: str
    how: str
    at: float
    pid: int
    group: tuple[int, ...]
    video_id: str | None
    step: str | None
    attempt: int | None


class Orders:
    """The folder of orders, as whoever gives them sees it. `how`: `process`, `group` (its whole worker) or `still`."""

    def __init__(self, folder: Path) -> None:
        self._given, self._taken = folder / "given", folder / "taken"
        for part in (self._given, self._taken):
            part.mkdir(parents=True, exist_ok=True)

    def give(self, point: str, how: str) -> None:
        draft = self._taken / f"{point}.draft"
        draft.write_text(how)
        draft.rename(self._given / point)

    def withdraw(self, point: str) -> bool:
        """Whether nobody had come there."""
        try:
            (self._given / point).unlink()
        except FileNotFoundError:
            return False
        return True

    def fired(self) -> list[Fired]:
        """What was obeyed since the last call."""
        found = []
        for path in sorted(self._taken.glob("*.json")):
            read = json.loads(path.read_text())
            # By the system's clock: the process's own may have jumped.
            found.append(Fired(**{**read, "group": tuple(read["group"]), "at": path.stat().st_mtime}))
            path.unlink()
        return found


class Points:
    """The same folder, as a process of the system sees it. `place`: what it does while it is at no step."""

    def __init__(self, folder: Path, place: str) -> None:
        self._given, self._taken, self._place = folder / "given", folder / "taken", place
        self.work: Claim | None = None

    def reach(self, deed: str, moment: str) -> None:
        name = f"{self.work.step if self.work else self._place} {deed} {moment}"
        order = self._given / name
        if not order.exists():
            return
        taken = self._taken / f"{name}.{os.getpid()}"
        try:
            order.rename(taken)
        except FileNotFoundError:  # somebody else came first
            return
        self._obey(name, taken.read_text())

    def _obey(self, name: str, how: str) -> None:
        work, group = self.work, _group_of(os.getpgrp()) if how == "group" else (os.getpid(),)
        about = (work.video.id, str(work.step), work.attempt) if work else (None, None, None)
        fired = Fired(name, how, time(), os.getpid(), group, *about)
        draft = self._taken / f"{time()}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(fired)))
        draft.rename(f"{draft}.json")
        if how == "still":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif how == "group":
            os.killpg(os.getpgrp(), signal.SIGKILL)
        else:
            die()


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def _group_of(number: int) -> tuple[int, ...]:
    """The process ids of a group, read where the system keeps them: psutil would take milliseconds."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # gone meanwhile
                continue
            if int(fields[2]) == number:
                found.append(int(entry.name))
    return tuple(found)
