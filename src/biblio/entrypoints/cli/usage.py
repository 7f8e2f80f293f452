"""What was used."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.entrypoints.cli.library import Json
from biblio.entrypoints.cli.output import clock, console, note, on_terminal, print_json
from biblio.entrypoints.cli.server import DataOption, connect_client

if TYPE_CHECKING:
    from biblio.client.models import UsageReport

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

WORDS = {"bytes_stored": "stored", "seconds_transcribed": "transcribed", "tokens_embedded": "tokens"}


def usage(
    start: Annotated[
        datetime | None, typer.Option("--from", formats=FORMATS, help="From then on. (default: this month)")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=FORMATS, help="Up to then. (default: now)")] = None,
    as_json: Json = False,
    data: DataOption = None,
) -> None:
    """Tell what you have used: bytes stored, sound transcribed, tokens embedded. Times are UTC."""
    with connect_client(data) as client:
        report = client.usage(start, end)
    if as_json:
        print_json(report)
    elif on_terminal(sys.stdout):
        _draw(report)
    else:
        for one in report["videos"]:
            print(f"{one['video_id']}\t{one['unit']}\t{one['amount']:.15g}\t{one['engine']}")


def _draw(report: "UsageReport") -> None:
    from rich.table import Table

    note(f"From {report['from'][:16].replace('T', ' ')} to {report['to'][:16].replace('T', ' ')} UTC")
    if not report["videos"]:
        note("Nothing was used.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, footer_style="bold")
    units = [unit for unit in WORDS if unit in report["totals"]]
    table.add_column("video", "all", no_wrap=True)
    for unit in units:
        table.add_column(WORDS[unit], _amount(unit, report["totals"][unit]), justify="right", no_wrap=True)
    amounts: dict[str, dict[str, float]] = {}
    for one in report["videos"]:
        of_video = amounts.setdefault(one["video_id"], {})
        of_video[one["unit"]] = of_video.get(one["unit"], 0.0) + one["amount"]
    for video_id, used in amounts.items():
        table.add_row(video_id, *(_amount(unit, used[unit]) if unit in used else "" for unit in units))
    console().print(table)


def _amount(unit: str, amount: float) -> str:
    from rich.filesize import decimal

    if unit == "bytes_stored":
        return decimal(int(amount))
    return clock(amount) if unit == "seconds_transcribed" else f"{amount:,.0f}"
