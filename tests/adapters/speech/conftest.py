"""Real speech that anybody has: the sample talk that comes with biblio."""

from pathlib import Path

import pytest

from biblio.adapters.speech.sound import RATE, stretches
from biblio.local.sample import TALK
from tests.adapters.speech.sounds import ffmpeg
from tests.contracts.speech import Spoken


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """talk.flac: half a minute of English. silence.flac: three silent seconds."""
    folder = tmp_path_factory.mktemp("sounds")
    ffmpeg("-i", TALK, "-t", "30", "-vn", "-ac", "1", "-ar", "16000", folder / "talk.flac")
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "3", folder / "silence.flac")
    return folder


@pytest.fixture(scope="session")
def english(sounds: Path) -> Spoken:
    talk = sounds / "talk.flac"
    seconds = sum(len(samples) for _, samples in stretches(talk)) / RATE
    return Spoken(talk, seconds, language="en", other_language="es", silence=sounds / "silence.flac")
