"""What storms did, as a table for people, and a picture of it."""

import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich import box
from rich.console import Console
from rich.table import Table
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from tests.chaos.storm.evidence import Finding
from tests.chaos.storm.faults import AT_POINTS, DEATHS, PROMISES, Fault, Kind
from tests.chaos.storm.recovery import percentile
from tests.chaos.storm.whole import Outcome

WIDTH = 132
COLUMNS = ("fault", "promise", "runs", "in flight", "lost", "doubled", "drift", "back: p50", "p99", "max")
LOST, DOUBLED, DRIFT = {"I1"}, {"I2", "I5", "I6", "usage"}, {"I3", "I4", "drift"}
# Without the web font that rich would fetch.
PICTURE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
 line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de" />
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    for outcome in outcomes:
        console.print(_table(outcome))
        console.print(_summary(outcome), highlight=False)
    console.print(_where(outcomes), highlight=False)


def save_picture(outcomes: Sequence[Outcome], path: Path) -> None:
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        show(outcomes, console)
    path.parent.mkdir(exist_ok=True)
    console.save_svg(str(path), title="", code_format=PICTURE, unique_id="chaos", theme=DEFAULT_TERMINAL_THEME)


def _table(outcome: Outcome) -> Table:
    title = f"{len(outcome.weather.faults)} runs on {outcome.broker}"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    for number, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=True)
    for kind in Kind:
        if faults := outcome.of_kind(kind):
            hit = [one for one in outcome.findings if any(fault.strikes_video(one.video_id) for fault in faults)]
            table.add_row(kind, PROMISES[kind], *_numbers(faults, hit, outcome))
    table.add_section()
    deaths = [fault for fault in outcome.weather.faults if fault.kind in DEATHS]
    table.add_row("every death of a worker", "R3", *_numbers(deaths, [], outcome))
    table.add_row("all", "", *_numbers(outcome.weather.faults, outcome.findings, outcome), style="bold")
    return table


def _numbers(faults: Sequence[Fault], findings: Sequence[Finding], outcome: Outcome) -> list[str]:
    flight = f"{sum(fault.in_flight for fault in faults) / max(1, len(faults)):.1f}"
    broken = [str(sum(one.invariant in kinds for one in findings)) for kinds in (LOST, DOUBLED, DRIFT)]
    seconds = [value for fault in faults for value in outcome.recovered.get(fault.number, [])]
    shown = [f"{percentile(seconds, percent):.1f} s" if seconds else "" for percent in (50, 99, 100)]
    return [str(len(faults)), flight, *broken, *shown]


def _summary(outcome: Outcome) -> str:
    others = sum(one.invariant not in LOST | DOUBLED | DRIFT for one in outcome.findings)
    points = {fault.point for fault in outcome.weather.faults if fault.kind in AT_POINTS}
    accepted = sum(story.is_accepted for story in outcome.stories)
    calm = f"after {outcome.weather.calm:.0f} s" if outcome.weather.calm is not None else "never"
    left_out = "".join(f" · left out here: {kind}" for kind in outcome.left_out)
    return (
        f"  {accepted} videos accepted · {len(points)} named points · {others} other findings · calm {calm} · "
        f"seed {outcome.seed}{left_out}\n"
    )


def _where(outcomes: Sequence[Outcome]) -> str:
    runs = sum(len(outcome.weather.faults) for outcome in outcomes)
    minutes = sum(outcome.weather.seconds for outcome in outcomes) / 60
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total // 1024**3} GB, {platform.system()}"
    return f"  {runs} runs in {minutes:.1f} minutes of storm on {machine} · commit {_commit()}"


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
