"""Asking the library a question."""

from typing import TYPE_CHECKING, Annotated

import typer

from biblio.domain.search import Mode
from biblio.entrypoints.cli.output import clock, console, note, one_line, print_json, printable
from biblio.entrypoints.cli.server import DataOption, connect_client

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from biblio.client.models import Moment, SearchAnswer

TIME_WIDTH = 8
"""Columns of a moment's time, wide enough for 10:02:03."""


def search(
    question: Annotated[str, typer.Argument(help="A question or words, in Korean or English.")],
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many videos.", show_default=False)] = None,
    video: Annotated[str | None, typer.Option(metavar="ID", help="Look in this video only.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="How to look.", show_default="hybrid")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="Spoken language: ko, en, …")] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Only videos with this in their title.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the answer as one JSON object.")] = False,
    data: DataOption = None,
) -> None:
    """Find the moments that answer a question.

    "Quoted words" must be said so; what says a -word is left out.
    """
    with connect_client(data) as client:
        answer = client.search(question, limit=limit, video_id=video, mode=mode, language=language, title=title)
    if as_json:
        print_json(answer)
    elif answer["results"]:
        if answer["relaxed"]:
            note("Nobody says exactly that; these answer its words.")
        _show(answer, client.url)
    else:
        note("Nothing found.")


def page_link(url: str, video_id: str, seconds: float) -> str:
    """The page, opened at a moment of a video."""
    return f"{url}/#video={video_id}&t={int(seconds)}"


def _show(answer: "SearchAnswer", url: str) -> None:
    screen = console()
    moments = 0
    for found in answer["results"]:
        screen.print(one_line(found["title"]), style="bold", soft_wrap=True)
        for moment in found["moments"]:
            _show_moment(screen, moment, page_link(url, found["video_id"], moment["start_time"]))
            moments += 1
    note(f"{_count(moments, 'moment')} in {_count(len(answer['results']), 'video')}, {answer['took_ms']:.0f} ms")


def _show_moment(screen: "Console", moment: "Moment", link: str) -> None:
    from rich.table import Table
    from rich.text import Text

    time, text = clock(moment["start_time"]), _highlighted(moment)
    if screen.is_terminal:
        row = Table.grid(padding=(0, 2))
        row.add_column(min_width=TIME_WIDTH, justify="right", style="cyan")
        row.add_row(time, text)
        screen.print(row)
    else:  # a pipe gets the text on one line, where `grep` finds it whole
        screen.print(f"{time:>{TIME_WIDTH}}  {text.plain}", soft_wrap=True)
    screen.print(Text(" " * (TIME_WIDTH + 2) + link, style="dim"), soft_wrap=True)


def _highlighted(moment: "Moment") -> "Text":
    from rich.text import Text

    # Letter for letter: the offsets of the highlights must still fit.
    text = Text(printable(moment["text"]))
    for start, end in moment["highlights"]:
        text.stylize("bold yellow", start, end)
    return text


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
