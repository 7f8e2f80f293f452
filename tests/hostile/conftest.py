"""Both ffmpegs, and things that must not be touched."""

from pathlib import Path

import pytest

from tests.adapters.audio.conftest import binary, folder
from tests.contracts.audio import listener
from tests.contracts.films import make_film

__all__ = ["binary", "folder", "listener"]

CANARY_SECONDS = 9.0


@pytest.fixture(scope="session")
def canary_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that any ffmpeg can read, longer than all that the hostile files hold themselves."""
    return make_film(tmp_path_factory.mktemp("canary") / "canary.mp4", seconds=CANARY_SECONDS)
