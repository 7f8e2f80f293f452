"""Telling people how files get on: live bars on a terminal, plain lines elsewhere, only errors beside `--json`."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from biblio.entrypoints.cli.output import clock, console, error_line, on_terminal, one_line

if TYPE_CHECKING:
    from biblio.client.models import Problem, Status
    from biblio.entrypoints.cli.pace import Pace

EVERY = 10.0
"""Seconds between two lines about one upload."""

WORDS = {"PENDING": "waiting"}


def word_for(status: str) -> str:
    """A status as a word for people: `transcribing`."""
    return WORDS.get(status, status.lower())


def outlook(status: "Status") -> str:
    """What is to be expected: `number 3 in line`, `0:42 left`; empty where nobody knows."""
    if position := status.get("queue_position"):
        return f"number {position} in line"
    if status.get("kind") in PAUSES:
        return f"again in {status['detail']['seconds']:.0f} s"
    if status.get("waiting_for"):
        return f"waiting for {status['waiting_for']}"
    seconds = status.get("seconds_left")
    return f"{clock(seconds)} left" if seconds is not None else ""


def trouble(status: "Status") -> str:
    """Why a step is not at work just now; empty where it is, or where nobody told."""
    if status.get("kind") not in PAUSES:
        return ""
    detail = status["detail"]
    return f"{PAUSES[status['kind']]} in {detail['seconds']:.0f} s: {one_line(detail['message'])}"


PAUSES = {"retry": "will be tried again", "waiting": "waiting for quota, will be tried again"}


@dataclass(frozen=True)
class Outcome:
    """How it ended for one file. `status` is the video's, or FAILED where the server never took the file.

    `untried` marks files that were left alone because nothing could have gone better for them.
    """

    file: str
    video_id: str | None
    status: str
    error: "Problem | None" = None
    duration: float | None = None
    language: str | None = None
    untried: bool = False

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "untried"}

    def line(self) -> str:
        """One line without its file name: the words, then the id that other commands want."""
        if self.error:
            return f"{one_line(self.error['message'])} ({self.error['code']})"
        words = ["uploaded" if self.status == "PENDING" else word_for(self.status), clock(self.duration), self.language]
        return "  ".join(word for word in (*words, self.video_id) if word)


class Report(Protocol):
    """Hears everything that happens; a file is known by its number. May be called from several threads."""

    def sending(self, number: int, file: str, size: int) -> None: ...

    def resumed(self, number: int, size: int) -> None:
        """`size` bytes of it were in storage before."""

    def sent(self, number: int, size: int) -> None:
        """`size` bytes of it so far; fewer than before when some were lost."""

    def uploaded(self, number: int) -> None:
        """The server has it; the file is not heard of again until somebody watches it."""

    def moved(self, number: int, file: str, status: "Status") -> None: ...

    def ended(self, number: int, outcome: Outcome) -> None: ...


@dataclass
class _Sending:
    """A file on its way; `said` is when a line about it was written."""

    file: str
    size: int
    pace: "Pace"
    said: float


class Lines:
    """A line for each step; with `errors_only`, a line for each failure."""

    def __init__(self, errors_only: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._out = None if errors_only else console()
        self._errors = console(sys.stderr)
        self._now = now
        self._told: dict[int, str] = {}
        self._sending: dict[int, _Sending] = {}

    def sending(self, number: int, file: str, size: int) -> None:
        from rich.filesize import decimal

        from biblio.entrypoints.cli.pace import Pace

        self._told[number] = "UPLOADING"
        self._sending[number] = _Sending(one_line(file), size, Pace(size, self._now), self._now())
        self._say(f"{one_line(file)}: uploading {decimal(size)}")

    def resumed(self, number: int, size: int) -> None:
        from biblio.entrypoints.cli.pace import percent

        one = self._sending[number]
        self._say(f"{one.file}: resumed at {percent(size, one.size)}%")

    def sent(self, number: int, size: int) -> None:
        one = self._sending[number]
        one.pace.note(size)
        if self._now() - one.said >= EVERY and size < one.size:
            one.said = self._now()
            self._say(f"{one.file}: {one.pace.percent()}%  {one.pace.words()}".rstrip())

    def uploaded(self, number: int) -> None:
        pass

    def moved(self, number: int, file: str, status: "Status") -> None:
        told = trouble(status) or word_for(status["status"]) + _place(status)
        if self._told.get(number) != told:
            self._told[number] = told
            self._say(f"{one_line(file)}: {told}")

    def ended(self, number: int, outcome: Outcome) -> None:
        self._told.pop(number, None)
        self._sending.pop(number, None)
        if outcome.error and not outcome.untried:
            message = f"{outcome.file}: {outcome.error['message']}"
            self._errors.print(error_line(message, outcome.error["code"]), style="red", soft_wrap=True)
        elif not outcome.error:
            self._say(f"{one_line(outcome.file)}: {outcome.line()}")

    def _say(self, line: str) -> None:
        if self._out:
            self._out.print(line, soft_wrap=True)


def _place(status: "Status") -> str:
    return f", number {status['queue_position']} in line" if status.get("queue_position") else ""


@contextmanager
def open_report(as_json: bool) -> Iterator[Report]:
    """The report that fits where the output goes. Beside `--json`, bars go to standard error: but not onto a terminal
    that shows the JSON too."""
    stream = sys.stderr if as_json else sys.stdout
    if on_terminal(stream) and not (as_json and sys.stdout.isatty()):
        from biblio.entrypoints.cli.bars import Bars

        with Bars(console(stream)) as bars:
            yield bars
    else:
        yield Lines(errors_only=as_json)
