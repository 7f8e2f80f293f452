"""Looking after the library: list, status, transcript, delete."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.domain.flow import Status
from biblio.entrypoints.cli.output import clock, console, error_line, note, on_terminal, one_line, print_json
from biblio.entrypoints.cli.report import outlook
from biblio.entrypoints.cli.server import DataOption, connect_client

if TYPE_CHECKING:
    from biblio.client import Client
    from biblio.client.models import Status as Progress
    from biblio.client.models import VideoSummary

COLOURS = {"COMPLETED": "green", "FAILED": "red", "CANCELED": "dim", "EXPIRED": "dim", "DELETING": "dim"}
"""By status; whatever is under way is yellow."""

WIDTHS = {"length": 7, "status": 16, "id": 36}

VideoId = Annotated[str, typer.Argument(metavar="ID", help="The video's id, as `biblio list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]


class Format(StrEnum):
    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"


def list_videos(
    status: Annotated[Status | None, typer.Option(case_sensitive=False, help="Only videos in this state.")] = None,
    as_json: Json = False,
    data: DataOption = None,
) -> None:
    """List your videos, the newest first."""
    with connect_client(data) as client:
        videos = client.videos(status=status)
        if as_json:
            for video in videos:
                # Its signed address is a secret, and no use after some minutes.
                print_json({name: value for name, value in video.items() if name != "upload"})
        elif on_terminal(sys.stdout):
            _draw(list(videos))
        else:
            for video in videos:
                print("\t".join(_row(video)))


def status(
    video_id: VideoId,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until it ends; exit code 0 if it completed.")] = False,
    as_json: Json = False,
    data: DataOption = None,
) -> None:
    """Show how far a video is."""
    show = print_json if as_json else _show_status
    with connect_client(data) as client:
        if not watch:
            show(client.status(video_id))
            return
        last = watched(client, video_id, as_json)
    raise typer.Exit(0 if last["status"] == Status.COMPLETED else 1)


def transcript(
    video_id: VideoId,
    format: Annotated[Format, typer.Option("--format", "-f", help="srt and vtt are subtitles.")] = Format.TXT,
    data: DataOption = None,
) -> None:
    """Write what was said in a video to standard output."""
    with connect_client(data) as client:
        text = client.transcript(video_id, format)
    sys.stdout.buffer.write(text.encode() if text.endswith("\n") else text.encode() + b"\n")


def delete(
    video_id: VideoId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: DataOption = None,
) -> None:
    """Delete a video and everything made from it."""
    with connect_client(data) as client:
        if not yes and sys.stdin.isatty():
            title = one_line(client.video(video_id)["title"])
            typer.confirm(f"Delete “{title}” for good?", abort=True, err=True)
        client.delete(video_id)
    note("Deleted.")


def watched(client: "Client", video_id: str, as_json: bool = False) -> "Progress":
    """The last status; how it came to it was shown."""
    try:
        return client.wait(video_id, print_json) if as_json else _watch(client, video_id)
    except KeyboardInterrupt:
        note("Stopped looking. The server goes on.")
        raise typer.Exit(130) from None


def _watch(client: "Client", video_id: str) -> "Progress":
    from biblio.entrypoints.cli.report import open_report

    title = client.video(video_id)["title"]
    with open_report(as_json=False) as report:
        last = client.wait(video_id, lambda progress: report.moved(0, title, progress))
    _show_status(last)
    return last


def _row(video: "VideoSummary") -> tuple[str, str, str, str, str]:
    length = clock(video["duration"])
    return video["video_id"], video["status"], length, video["language"] or "", one_line(video["title"])


def _draw(videos: list["VideoSummary"]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not videos:
        note("No videos yet. Add one with `biblio ingest FILE`.")
        return
    screen = console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    # The id is there to be copied, so a narrow terminal cuts the title instead.
    table.add_column("title", no_wrap=True, max_width=max(12, screen.width - sum(WIDTHS.values()) - 2 * len(WIDTHS)))
    for name, width in WIDTHS.items():
        table.add_column(name, no_wrap=True, width=width, justify="right" if name == "length" else "left")
    for video in videos:
        video_id, state, length, _, title = _row(video)
        under_way = state not in COLOURS and video["progress"]
        shown = f"{state.lower()} {video['progress']}%" if under_way else state.lower()
        table.add_row(Text(title), length, Text(shown, style=COLOURS.get(state, "yellow")), Text(video_id, style="dim"))
    screen.print(table)
    unfinished = sum(video["status"] == Status.UPLOADING for video in videos)
    if unfinished:
        note(f"{unfinished} not uploaded to the end: `biblio ingest` of the same file goes on where it stopped.")


def _show_status(progress: "Progress") -> None:
    state = progress["status"]
    ahead = outlook(progress)
    line = f"{state.lower()} {progress['progress']}%" + (f"  {ahead}" if ahead else "")
    console().print(line, style=COLOURS.get(state, "yellow"))
    if progress["error"]:
        message, code = progress["error"]["message"], progress["error"]["code"]
        console(sys.stderr).print(error_line(message, code), style="red", soft_wrap=True)
