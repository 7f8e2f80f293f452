"""What the workers do from time to time, done now: for operators."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.entrypoints.cli.library import Json
from biblio.entrypoints.cli.output import console, note, on_terminal, one_line, print_json
from biblio.entrypoints.cli.server import DataOption, data_folder
from biblio.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from biblio.pipeline.services import Services


def sweep(data: DataOption = None) -> None:
    """Finish once what a crash or a vanished client left. The workers do so every few seconds by themselves."""
    from biblio.pipeline.sweep import sweep as sweep_once

    with _services(data) as services:
        announced = sweep_once(services)
    note(f"{announced} {'job was' if announced == 1 else 'jobs were'} announced.")


def check(
    mend: Annotated[bool, typer.Option("--mend", help="Bring the stores in line with the catalog.")] = False,
    as_json: Json = False,
    data: DataOption = None,
) -> None:
    """Compare catalog, storage and vectors with each other. Exit code 0 when they agree, or all was mended."""
    from biblio.pipeline.check import check as compare

    found = left = 0
    with _services(data) as services, _at_work():
        for drift in compare(services, mend=mend):
            found, left = found + 1, left + (not drift.mended)
            if as_json:
                print_json({"what": drift.what, "where": drift.where, "mended": drift.mended})
            else:
                sign, style = ("✓", "green") if drift.mended else ("✗", "red")
                line = f"{sign} {drift.what}: {one_line(drift.where)}{', mended' if drift.mended else ''}"
                console().print(line, style=style, soft_wrap=True)
    note(_summary(found, left, mend))
    raise typer.Exit(1 if left else 0)


def reembed(
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="The other embedder, as BIBLIO_EMBEDDER would name it.")],
    data: DataOption = None,
) -> None:
    """Make the vectors of another embedder beside the present ones. Search stays as it is until you switch.

    May be broken off and begun again: what is there is not made twice.
    """
    from biblio.bootstrap import build, close
    from biblio.dsn import Dsn
    from biblio.entrypoints.cli.local_library import running_settings
    from biblio.pipeline.reembed import reembed as fill

    settings = running_settings(data_folder(data))
    other = settings.model_copy(update={"embedder": Dsn.parse(to)})
    with _services(data) as services:
        new = build(other)
        if new.space == services.space:
            raise InvalidInput("That is the embedder in use already.", code="SAME_EMBEDDER")
        try:
            new.embedder.ping()
            new.vectors.prepare()
            videos = made = 0
            for filled in fill(services, new):
                videos, made = videos + 1, made + filled.vectors
                if filled.vectors:
                    note(f"{one_line(filled.video.title)}: {filled.vectors} vectors")
        finally:
            close(new)
    note(f"{videos} videos are complete in {new.space}; {made} vectors were made now.")
    note(f"To switch, set BIBLIO_EMBEDDER={to} and restart API and workers; to go back, set it as it is now.")


def _summary(found: int, left: int, mend: bool) -> str:
    if not found:
        return "The stores agree."
    if not left:
        return f"{found} found, all mended."
    return f"{found} found, {left} left as {'they are' if left > 1 else 'it is'}." + (
        "" if mend else " `biblio check --mend` mends what can be mended."
    )


@contextmanager
def _at_work() -> Iterator[None]:
    """A moving sign on standard error, where somebody looks."""
    if not on_terminal(sys.stderr):
        yield
        return
    with console(sys.stderr).status("comparing catalog, storage and vectors…"):
        yield


@contextmanager
def _services(data: "Path | None") -> "Iterator[Services]":
    from biblio.bootstrap import build, engines
    from biblio.entrypoints.cli.local_library import running_settings

    services = build(running_settings(data_folder(data)))
    try:
        yield services
    finally:
        for engine in engines(services).values():
            engine.close()
