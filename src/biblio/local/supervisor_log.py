"""Reads in supervisord's own log what ended: the RPC forgets an exit as soon as the program runs again."""

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path

EXITED = re.compile(r" exited: (?P<name>\S+) \((?P<how>.*); (?:not )?expected\)$")
GAVE_UP = re.compile(r" gave up: (?P<name>\S+) entered FATAL state")
SIGNALLED = re.compile(r"terminated by (SIG\w+)")


@dataclass(frozen=True)
class Ended:
    """A program ended by itself. `how`: 'exit status 1', 'killed by signal 9'; `gave_up`: it is not started again."""

    name: str
    how: str
    gave_up: bool = False


class SupervisorLog:
    """The lines written since this object was made, each once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def news(self) -> list[Ended]:
        if not self._path.exists():
            return []
        if self._path.stat().st_size < self._offset:  # rotated
            self._offset = 0
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [ended for line in whole.decode(errors="replace").splitlines() if (ended := _read(line))]


def _read(line: str) -> Ended | None:
    if found := EXITED.search(line):
        return Ended(found["name"], _plain(found["how"]))
    if found := GAVE_UP.search(line):
        return Ended(found["name"], "too many failures in a row", gave_up=True)
    return None


def _plain(how: str) -> str:
    found = SIGNALLED.match(how)
    if found and found[1] in signal.Signals.__members__:
        return f"killed by signal {signal.Signals[found[1]].value}"
    return how


class LogTail:
    """What a program has written to its log since this object was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def last(self, lines: int) -> str:
        if not self.path.exists():
            return "(nothing was written)"
        with open(self.path, "rb") as file:
            file.seek(self._offset if self.path.stat().st_size >= self._offset else 0)
            text = file.read().decode(errors="replace")
        return "\n".join(_for_people(line) for line in text.splitlines()[-lines:]) or "(nothing was written)"


def _for_people(line: str) -> str:
    """What biblio's own programs write is JSON."""
    try:
        said = json.loads(line)
        return "\n".join(filter(None, (said["message"], said.get("exception"))))
    except (ValueError, TypeError, KeyError):
        return line
