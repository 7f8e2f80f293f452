"""Live bars on a terminal: one for each file under way; what has ended moves up as an ordinary line."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column, Table
from rich.text import Text

from biblio.entrypoints.cli.output import clock, one_line
from biblio.entrypoints.cli.pace import Pace, percent
from biblio.entrypoints.cli.report import Outcome, outlook, trouble, word_for

if TYPE_CHECKING:
    from biblio.client.models import Status

SENDING = "uploading"


class Bars:
    """A `Report` drawn on `screen` while used as a context manager."""

    def __init__(self, screen: Console) -> None:
        self._progress = _Progress(
            SpinnerColumn(),
            _text("{task.description}", overflow="ellipsis", ratio=1),
            _text("{task.fields[word]}", min_width=12),
            BarColumn(bar_width=12),
            _text("{task.percentage:>3.0f}%"),
            _Detail(table_column=Column(no_wrap=True, min_width=22)),
            console=screen,
            transient=True,
            expand=True,
            # The streams are ours to aim: JSON on a piped standard output must not end up among the bars.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._rows: dict[int, TaskID] = {}
        self._paces: dict[int, Pace] = {}
        self._told: dict[int, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def sending(self, number: int, file: str, size: int) -> None:
        row = self._row(number, file)
        self._paces[number] = Pace(size)
        self._progress.update(row, total=size, word=SENDING, pace=self._paces[number])

    def resumed(self, number: int, size: int) -> None:
        task = self._progress.tasks[self._progress.task_ids.index(self._rows[number])]
        line = f"{task.description}  resumed at {percent(size, int(task.total or 0))}%"
        self._progress.console.print(line, style="dim", soft_wrap=True)

    def sent(self, number: int, size: int) -> None:
        self._paces[number].note(size)
        self._progress.update(self._rows[number], completed=size)

    def uploaded(self, number: int) -> None:
        self._progress.update(self._rows[number], visible=False)

    def moved(self, number: int, file: str, status: "Status") -> None:
        row = self._row(number, file)
        word = word_for(status["status"])
        ahead = outlook(status)
        self._progress.update(row, total=100, completed=status["progress"], word=word, visible=True, ahead=ahead)
        why = trouble(status)
        if why and self._told.get(number) != status["event_id"]:
            self._told[number] = status["event_id"]
            self._progress.console.print(f"{one_line(file)}  {why}", style="dim", soft_wrap=True)

    def ended(self, number: int, outcome: Outcome) -> None:
        with self._lock:
            row = self._rows.pop(number, None)
        if row is not None:
            self._progress.remove_task(row)
        if not outcome.untried:
            self._progress.console.print(_ended(outcome), soft_wrap=True)

    def _row(self, number: int, file: str) -> TaskID:
        with self._lock:
            if number not in self._rows:
                self._rows[number] = self._progress.add_task(one_line(file), total=None, word="")
            return self._rows[number]


class _Progress(Progress):
    def get_renderables(self) -> Iterable[RenderableType]:
        yield _Narrower(self.make_tasks_table(self.tasks))
        waiting = sum(1 for task in self.tasks if not task.visible)
        if waiting:
            yield Text(f"  and {waiting} more that wait for their turn", style="dim")


@dataclass(frozen=True)
class _Narrower:
    """Leaves room for the ^C that a terminal echoes: where it broke the line, the bars could not be wiped out."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self.table, options.update(width=max(20, options.max_width - 4)))


class _Detail(ProgressColumn):
    """While bytes go out, how fast and how long yet; later, what to expect, else the time since the row came."""

    def render(self, task: Task) -> Text:
        if task.fields["word"] != SENDING:
            return Text(task.fields.get("ahead") or clock(task.elapsed), style="dim")
        return Text(task.fields["pace"].words(), style="dim")


def _text(template: str, **column: Any) -> TextColumn:
    return TextColumn(template, markup=False, table_column=Column(no_wrap=True, **column))


def _ended(outcome: Outcome) -> Text:
    sign, style = ("✗", "red") if outcome.error else ("✓", "green")
    name = Text(one_line(outcome.file), style="bold")
    return Text.assemble((sign, style), " ", name, "  ", (outcome.line(), "red" if outcome.error else ""))
