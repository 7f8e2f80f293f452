"""`biblio up`: everything on this machine, until Ctrl-C. `biblio demo`: the same, shown once from end to end."""

import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.entrypoints.cli.output import console, note
from biblio.entrypoints.cli.server import DataOption, data_folder
from biblio.errors import BiblioError

if TYPE_CHECKING:
    from biblio.entrypoints.cli.local_library import LocalLibrary
    from biblio.local.folder import DataFolder

PortOption = Annotated[
    int | None, typer.Option(min=1, max=65535, help="The page's port. (default: a free one, kept)", show_default=False)
]


def up(data: DataOption = None, port: PortOption = None) -> None:
    """Start everything on this machine: database, storage, queue, API and workers. Ctrl-C stops it."""
    folder = data_folder(data)
    with _signals(), _running(folder, port) as library:
        screen = console()
        screen.print(
            f"biblio is ready: {library.page}  (API: {library.page}/api/docs)", style="bold green", soft_wrap=True
        )
        screen.print(f"Open: {library.sign_in_link}", style="bold", soft_wrap=True, highlight=False)
        note("That link signs one browser in, once; `biblio link` prints another.")
        note(f"Elsewhere the page asks for the key in {folder.api_key}. Ctrl-C stops everything.")
        if library.is_new:
            _load_sample(library)
        _watch(library)
    note("stopped")


def _watch(library: "LocalLibrary") -> None:
    """Until Ctrl-C or SIGTERM; a second one must not cut the stopping short."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    library.stack.watch(stop)
    note("stopping…")


def demo(data: DataOption = None) -> None:
    """Show the whole road once: start, add the sample talk, search it in Korean and English, stop."""
    from biblio.entrypoints.cli.demo import show

    with tempfile.TemporaryDirectory(prefix="biblio-demo-") as temporary:
        folder = data_folder(data or Path(temporary) / "data")
        with _signals(), _running(folder, None) as library:
            went_well = show(library.client())
            note("stopping…")
    raise typer.Exit(0 if went_well else 1)


@contextmanager
def _running(folder: "DataFolder", port: int | None) -> Iterator["LocalLibrary"]:
    from biblio.entrypoints.cli.local_library import LocalLibrary
    from biblio.settings import read_settings

    began = time.monotonic()

    def say(line: str) -> None:
        note(f"{time.monotonic() - began:6.1f} s  {line}")

    library = LocalLibrary(folder, read_settings(), port=port, say=say)
    say(f"starting on {folder.path}")
    with library.stack:
        yield library


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM ends as Ctrl-C does: by an interrupt, which stops what was started."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except KeyboardInterrupt:
        note("stopped")
        sys.exit(130)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _load_sample(library: "LocalLibrary") -> None:
    """So that there is something to search. The workers go on with it while the page is open."""
    from biblio.local.sample import TALK, TITLE

    try:
        with library.client() as client:
            client.upload(TALK, title=TITLE)
    except BiblioError as error:  # the library itself is up, and of use without it
        note(f"The sample talk could not be added: {error}")
        return
    note(f"The sample talk “{TITLE}” is being read; in half a minute it can be searched.")
