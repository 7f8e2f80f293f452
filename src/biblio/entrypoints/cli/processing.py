"""Steering the work on a video: cancel, reprocess, history."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.domain.flow import ROAD, Status
from biblio.entrypoints.cli.library import COLOURS, Json, VideoId, watched
from biblio.entrypoints.cli.output import console, note, on_terminal, one_line, print_json
from biblio.entrypoints.cli.server import DataOption, connect_client

if TYPE_CHECKING:
    from biblio.client.models import Event

FromStep = StrEnum("FromStep", [(stage.step.name, stage.step.value) for stage in ROAD])  # type: ignore[misc]


KINDS = {
    "begun": "begun",
    "retry": "to be tried again",
    "waiting": "waits for quota",
    "resumed": "goes on",
    "lost": "lost its worker",
    "died": "its process died",
    "title": "renamed",
}
"""What happened to an attempt, or else to a video."""


def cancel(video_id: VideoId, data: DataOption = None) -> None:
    """Stop the work on a video, or its upload. Its file stays, and `biblio reprocess` goes on with it."""
    with connect_client(data) as client:
        was_whole = client.cancel(video_id)["status"] == Status.COMPLETED
    note("Canceled. The video is as it was before." if was_whole else "Canceled.")


def reprocess(
    video_id: VideoId,
    step: Annotated[
        FromStep | None,
        typer.Option("--from", case_sensitive=False, help="First step to do again. (default: where it is of use)"),
    ] = None,
    language: Annotated[str | None, typer.Option(help="Language spoken, as in ko or en; else detected.")] = None,
    model: Annotated[str | None, typer.Option(help="fast, high_quality or a model's own name.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it ends; exit code 0 if it completed.")] = False,
    data: DataOption = None,
) -> None:
    """Process a video again. Until that is done, searches find it as it was."""
    with connect_client(data) as client:
        client.reprocess(video_id, step=step.value if step else None, language=language, model=model)
        if not wait:
            note(f"Started. `biblio status {video_id} --watch` shows how it gets on.")
            return
        last = watched(client, video_id)
    raise typer.Exit(0 if last["status"] == Status.COMPLETED else 1)


def history(video_id: VideoId, as_json: Json = False, data: DataOption = None) -> None:
    """Tell what happened to a video: every status, attempt and retry, with the reasons."""
    with connect_client(data) as client:
        events = client.history(video_id)
    if as_json:
        for event in events:
            print_json(event)
    elif on_terminal(sys.stdout):
        _draw(events)
    else:
        for event in events:
            print("\t".join((event["updated_at"], *_cells(event))))


def _draw(events: list["Event"]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("time", "what", "step", "attempt"):
        table.add_column(name, no_wrap=True, justify="right" if name == "attempt" else "left")
    table.add_column("reason", overflow="fold")
    day = ""
    for event in _worth_a_row(events):
        moment = _local(event["updated_at"])
        shown, day = (moment[11:] if moment[:10] == day else moment), moment[:10]
        what, step, attempt, reason = _cells(event)
        style = COLOURS.get(event["status"], "yellow") if event["kind"] == "status" else ""
        table.add_row(Text(f"{shown:>19}", style="dim"), Text(what, style=style), step, attempt, Text(reason))
    console().print(table)


def _worth_a_row(events: list["Event"]) -> list["Event"]:
    """Without mere progress: a number that grows is no news afterwards."""
    kept: list[Event] = []
    before: tuple[object, ...] = ()
    for event in events:
        state = (event["status"], event["step"], event["error"] and event["error"]["code"])
        if event["kind"] != "status" or state != before:
            kept.append(event)
        before = state if event["kind"] == "status" else before
    return kept


def _cells(event: "Event") -> tuple[str, str, str, str]:
    """What, step, attempt and reason."""
    detail, error = event["detail"], event["error"]
    if event["kind"] == "status":
        what = f"{event['status'].lower()} {event['progress']}%"
        reason = f"{error['message']} ({error['code']})" if error and event["status"] == Status.FAILED else ""
    else:
        what = KINDS.get(event["kind"], event["kind"])
        reason = f"{detail.get('message', '')} ({detail['code']})" if "code" in detail else ""
        reason += f", again in {detail['seconds']:g} s" if "seconds" in detail else ""
    step = detail.get("step") or event["step"] or ""
    return what, str(step), str(detail.get("attempt", "")), one_line(reason)


def _local(moment: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
