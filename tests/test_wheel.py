"""What is installed from a wheel is whole: the page and the migrations are in it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.repository import ROOT

PAGE = "biblio/entrypoints/api/page/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder: Path = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (path,) = folder.iterdir()
    with zipfile.ZipFile(path) as opened:
        return opened.namelist()


def test_the_page_is_in_it(wheel: list[str]) -> None:
    page = [name.removeprefix(PAGE) for name in wheel if name.startswith(PAGE)]
    assert "index.html" in page
    scripts = [name for name in page if name.startswith("assets/") and name.endswith(".js")]
    assert scripts
    assert any(f"{name}.br" in page for name in scripts), "in its smallest form too"


def test_the_migrations_are_in_it_and_nothing_that_is_for_building(wheel: list[str]) -> None:
    assert "biblio/migrations/versions/0001_catalog.py" in wheel
    assert [name for name in wheel if "node_modules" in name or name.startswith(("web/", "tests/", "tools/"))] == []
