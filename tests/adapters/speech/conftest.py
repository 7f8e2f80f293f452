"""Real speech that anybody has: the sample talk that comes with biblio."""

from pathlib import Path

import pytest

from biblio.adapters.speech.sound import RATE, stretches
from biblio.local.sample import TALK
from tests.adapters.speech.sounds import ffmpeg
from tests.contracts.speech import Spoken


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """talk.flac: half a minute of English. silence.flac: three silent seconds. long.flac: half an hour, in which the
    first ten seconds of the talk are heard three times."""
    folder = tmp_path_factory.mktemp("sounds")
    ffmpeg("-i", TALK, "-t", "30", "-vn", "-ac", "1", "-ar", "16000", folder / "talk.flac")
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "3", folder / "silence.flac")
    ffmpeg("-i", folder / "talk.flac", "-af", "atrim=0:10,apad=whole_dur=620", folder / "once.flac")
    ffmpeg("-stream_loop", "2", "-i", folder / "once.flac", folder / "long.flac")
    return folder


@pytest.fixture(scope="session")
def english(sounds: Path) -> Spoken:
    talk = sounds / "talk.flac"
    seconds = sum(len(samples) for _, samples in stretches(talk)) / RATE
    return Spoken(talk, seconds, "en", "es", silence=sounds / "silence.flac", long=sounds / "long.flac")
