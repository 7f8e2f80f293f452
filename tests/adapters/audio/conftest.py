"""Every ffmpeg at hand: the system's, where there is one, and the bundled."""

import shutil
from pathlib import Path

import pytest

from biblio.ports.audio import AudioExtractor
from tests.adapters.audio.building import extractor_with
from tests.contracts.audio import films, listener
from tests.contracts.films import bundled_ffmpeg

__all__ = ["films", "listener"]

BINARIES = sorted({bundled_ffmpeg(), shutil.which("ffmpeg") or bundled_ffmpeg()})


@pytest.fixture(params=BINARIES, ids=lambda path: Path(path).name)
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def extractor(binary: str) -> AudioExtractor:
    return extractor_with(binary=binary, stall=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"
