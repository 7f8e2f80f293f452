"""The `biblio` command, put together."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from biblio import __version__
from biblio.entrypoints.cli import ingest, library, processing, search, serve, up, upkeep, usage
from biblio.entrypoints.cli.output import show_error
from biblio.entrypoints.cli.server import DataOption
from biblio.errors import BiblioError

LIBRARY = "Your library"
SERVER = "The server"


class _Biblio(TyperGroup):
    """Tells errors that biblio raises on purpose in a sentence, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BiblioError as error:
            show_error(error)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="biblio",
    cls=_Biblio,
    help="Turns lectures and talks into a library you can search.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,  # locals hold keys
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"biblio {__version__}")
        raise typer.Exit


@app.callback()
def root(
    data: DataOption = None,  # noqa: ARG001 (the commands' own --data reads it)
    version: Annotated[bool, typer.Option("--version", callback=_show_version, help="Show it.")] = False,  # noqa: ARG001
) -> None:
    for stream in (sys.stdout, sys.stderr):
        # A Korean title must not end a command on a terminal that cannot write it.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


app.command(rich_help_panel=LIBRARY)(ingest.ingest)
app.command(rich_help_panel=LIBRARY)(search.search)
app.command("list", rich_help_panel=LIBRARY)(library.list_videos)
app.command(rich_help_panel=LIBRARY)(library.status)
app.command(rich_help_panel=LIBRARY)(library.transcript)
app.command(rich_help_panel=LIBRARY)(processing.cancel)
app.command(rich_help_panel=LIBRARY)(processing.reprocess)
app.command(rich_help_panel=LIBRARY)(processing.history)
app.command(rich_help_panel=LIBRARY)(library.delete)
app.command(rich_help_panel=LIBRARY)(usage.usage)

app.command(rich_help_panel=SERVER)(up.up)
app.command(rich_help_panel=SERVER)(up.demo)
app.command(rich_help_panel=SERVER)(serve.link)
app.command(rich_help_panel=SERVER)(serve.doctor)
app.command(rich_help_panel=SERVER)(upkeep.check)
app.command(rich_help_panel=SERVER)(upkeep.sweep)
app.command(rich_help_panel=SERVER)(upkeep.reembed)
app.command(rich_help_panel=SERVER)(serve.api)
app.command(rich_help_panel=SERVER)(serve.worker)
app.command(rich_help_panel=SERVER)(serve.migrate)
app.add_typer(serve.users, name="users", rich_help_panel=SERVER)
