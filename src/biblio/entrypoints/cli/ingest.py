"""Bringing files into the library."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.entrypoints.cli.output import note, print_json
from biblio.entrypoints.cli.server import DataOption, connect_client
from biblio.errors import BiblioError

if TYPE_CHECKING:
    from pathlib import Path

    from biblio.client import Client
    from biblio.entrypoints.cli.batch import Batch, Upload
    from biblio.entrypoints.cli.report import Outcome


def ingest(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Videos or sound: mp4, mov, avi, mkv, mp3…")],
    wait: Annotated[bool, typer.Option("--wait", help="Stay until every file can be searched.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a file, and nothing else.")] = False,
    language: Annotated[str | None, typer.Option(help="Language spoken, as in ko or en; else detected.")] = None,
    model: Annotated[str | None, typer.Option(help="fast, high_quality or a model's own name.")] = None,
    title: Annotated[str | None, typer.Option(help="Title, for one file. (default: the file's name)")] = None,
    data: DataOption = None,
) -> None:
    """Add lectures to your library.

    An upload that was broken off goes on where it stopped, when its file is named again. The exit code is 0 only if all
    went well.
    """
    if title and len(files) > 1:
        raise typer.BadParameter("a title is for one file.", param_hint="--title")
    client = _connect(data, files if as_json else [])
    upload = partial(client.upload, language=language, model=model, title=title)
    batch = _run(client, upload, files, wait, as_json)
    if not (wait or as_json) and batch.uploaded:
        note("biblio works on it now: `biblio list` shows how far it is, `biblio status ID --watch` stays with it.")
    went_well = sum(outcome.error is None for outcome in batch.outcomes)
    raise typer.Exit(0 if went_well == len(files) else 1)


def _connect(data: "Path | None", owed: Sequence[str]) -> "Client":
    """A client; without a server, every file that is owed an object on standard output gets it all the same."""
    try:
        return connect_client(data)
    except BiblioError as error:
        from biblio.entrypoints.cli.batch import failed

        for file in owed:
            print_json(failed(file, error).as_json())
        raise


def _run(client: "Client", upload: "Upload", files: Sequence[str], wait: bool, as_json: bool) -> "Batch":
    from biblio.entrypoints.cli.batch import Batch
    from biblio.entrypoints.cli.report import open_report

    def tell(outcome: "Outcome") -> None:
        if as_json:
            print_json(outcome.as_json())

    with open_report(as_json) as report:
        batch = Batch(client, upload, report, tell, wait)
        try:
            batch.run(files)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    if batch.untried:
        note(f"Not tried, as it could only end in the same way: {batch.untried} more.")
    if interrupted:
        note(_farewell(batch, len(files)))
        raise typer.Exit(130)
    return batch


def _farewell(batch: "Batch", files: int) -> str:
    if not batch.uploaded:
        if batch.is_open:
            return "Stopped. What has arrived is kept: the same command goes on where it stopped."
        return "Stopped. Nothing was uploaded."
    rest = "`biblio list` shows how far it is"
    if batch.is_open:
        rest = "the same command without those goes on where it stopped"
    return f"Stopped. biblio goes on with what was uploaded ({batch.uploaded} of {files} files); {rest}."
