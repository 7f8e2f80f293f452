"""Which server a command talks to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biblio.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from biblio.client import Client
    from biblio.local.folder import DataFolder
    from biblio.settings import Settings


def _or_before_command(ctx: typer.Context, value: Path | None) -> Path | None:
    """`biblio --data DIR list` means the same as `biblio list --data DIR`."""
    return value or ctx.find_root().params.get("data")


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The local library's folder. (default: BIBLIO_DATA, else your data folder)",
        callback=_or_before_command,
        show_default=False,
    ),
]


def data_folder(chosen: Path | None) -> "DataFolder":
    """The local library's folder: the one chosen by option, else by BIBLIO_DATA, else the platform's."""
    from biblio.settings import read_settings

    return _data_folder(chosen, read_settings())


def connect_client(chosen: Path | None) -> "Client":
    """A client of the server at BIBLIO_URL, else of the local one; a folder chosen by option means the local one.

    Raises `Misconfigured` when a key is missing, `Unavailable` when no local server runs.
    """
    from biblio.client import Client
    from biblio.settings import read_settings

    settings = read_settings()
    if settings.url and not chosen:
        if not settings.api_key:
            raise Misconfigured("BIBLIO_URL is set, but BIBLIO_API_KEY is not. Set both, or neither.")
        return Client(settings.url, settings.api_key)
    folder = _data_folder(chosen, settings)
    # A key given beside BIBLIO_URL is for that server, and no other may see it.
    key = settings.api_key if not settings.url else None
    return Client(local_url(folder), key or _local_key(folder))


def _data_folder(chosen: Path | None, settings: "Settings") -> "DataFolder":
    from biblio.local.folder import DataFolder, default_folder

    return DataFolder(chosen or settings.data or default_folder())


def local_url(folder: "DataFolder") -> str:
    """Where the page of the local server is. Raises `Unavailable` when none runs."""
    running = folder.read_addresses()
    if not running or not running.page:
        raise Unavailable(
            f"biblio is not running on {folder.path}. Start it with `biblio up` or set BIBLIO_URL.",
            code="SERVER_UNREACHABLE",
        )
    return running.page


def _local_key(folder: "DataFolder") -> str:
    try:
        return folder.api_key.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"The key in {folder.api_key} cannot be read. Set BIBLIO_API_KEY.") from error
