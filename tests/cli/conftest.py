"""The `biblio` command as a process of its own, talking to the API emulator."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulators.biblio_api import KEY, ApiEmulator, running_api

Biblio = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = (sys.executable, "-c", "from biblio.entrypoints.cli.main import app; app(prog_name='biblio')")
SOURCES = str(Path(__file__).parents[2] / "src")


@pytest.fixture
def api() -> Iterator[ApiEmulator]:
    with running_api() as server:
        yield server


@pytest.fixture
def environment(api: ApiEmulator, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BIBLIO_", "FORCE_", "NO_COLOR"))}
    ours = {"BIBLIO_URL": api.url, "BIBLIO_API_KEY": KEY, "BIBLIO_DATA": str(tmp_path / "data"), "PYTHONPATH": SOURCES}
    return {**kept, **ours, "COLUMNS": "80"}


@pytest.fixture
def biblio(environment: dict[str, str], tmp_path: Path) -> Biblio:
    """Runs `biblio` in a fresh folder; keyword arguments change the environment."""

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env={**environment, **changes},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=200,
        )

    return run


@pytest.fixture
def film(tmp_path: Path) -> str:
    """The name of a file in the folder `biblio` runs in."""
    (tmp_path / "강의 [01].mp4").write_bytes(b"film" * 1000)
    return "강의 [01].mp4"
