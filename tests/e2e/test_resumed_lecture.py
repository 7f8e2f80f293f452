"""Hours of real speech, whose worker is killed near the end: the rest is heard, and nothing else again."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from biblio.adapters.speech.scripted import connect
from biblio.bootstrap import build, engines
from biblio.domain import keys
from biblio.domain.transcript import results, sentences_of
from biblio.dsn import Dsn
from biblio.entrypoints.cli.local_library import LocalLibrary
from biblio.local.folder import DataFolder
from biblio.settings import read_settings
from tests.adapters.speech.sounds import ffmpeg
from tests.conftest import Server

PATIENCE = 200.0


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the recogniser writes down what it was asked to hear."""
    return tmp_path_factory.mktemp("calls") / "calls"


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, calls: Path) -> Iterator[Server]:
    """A whole biblio whose recogniser takes two seconds for a piece of ten minutes, and knows what it will say."""
    folder = DataFolder(tmp_path_factory.mktemp("library"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BIBLIO_SPEECH", f"scripted://?seconds_per_sentence=0.0125&log={calls}")
        library = LocalLibrary(folder, read_settings(), port=None, say=lambda _line: None)
        with library.stack:
            yield Server(library.page, folder.api_key.read_text().strip(), folder, library.stack.addresses)


@pytest.fixture(scope="module")
def seconds(request: pytest.FixtureRequest) -> float:
    return 3600 * float(request.config.getoption("--lecture-hours"))


@pytest.fixture(scope="module")
def lecture(test_data: Path, seconds: float, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every talk, one after another and again, until the time is over."""
    folder = tmp_path_factory.mktemp("lecture")
    fragments = sorted((test_data / "speech/ko/pansori_tedx").glob("*/*.flac"))
    (folder / "list").write_text("".join(f"file '{fragment}'\n" for fragment in fragments) * 12)
    joined = ("-f", "concat", "-safe", "0", "-i", folder / "list", "-t", str(seconds), "-ac", "1", "-ar", "16000")
    ffmpeg(*joined, folder / "lecture.flac")
    return folder / "lecture.flac"


def read(calls: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []


def how_often(calls: Path, event: str) -> Counter[float]:
    return Counter(call["start"] for call in read(calls) if call["event"] == event)


def kill_in_the_middle_of_the_piece_at(calls: Path, second: float) -> float:
    """SIGKILL to the process that hears it; where the piece begins."""
    deadline = time.monotonic() + PATIENCE
    while not (found := [call for call in read(calls) if call["start"] <= second < call["end"]]):
        assert time.monotonic() < deadline, read(calls)[-1:]
        time.sleep(0.1)
    time.sleep(0.7)
    os.kill(found[0]["pid"], signal.SIGKILL)
    return float(found[0]["start"])


def in_one_run(addresses: Mapping[str, str], video_id: str, folder: Path) -> dict[str, Any]:
    """What the recogniser says to the same sound without any pieces kept."""
    services = build(read_settings({}, defaults=addresses))
    audio = folder / "speech.flac"
    with audio.open("wb") as file:
        file.writelines(services.storage.read(keys.speech_audio(video_id)))
    for engine in engines(services).values():
        engine.close()
    heard = connect(Dsn.parse("scripted://")).transcribe(audio, language=None, model=None)
    return results(sentences_of(word for one in heard for word in one.words))


@pytest.mark.timeout(400)
def test_a_kill_at_95_percent_costs_one_piece(
    patient: Server, calls: Path, lecture: Path, seconds: float, tmp_path: Path
) -> None:
    with patient.client() as client:
        video_id = client.upload(lecture)["video_id"]
        killed = kill_in_the_middle_of_the_piece_at(calls, 0.95 * seconds)
        ended = client.wait(video_id)
        assert ended["status"] == "COMPLETED", ended
        transcript = json.loads(client.transcript(video_id, format="json"))
    begun, done = how_often(calls, "begin"), how_often(calls, "done")
    assert len(done) >= seconds / 600
    assert set(done.values()) == {1}
    assert {start: times for start, times in begun.items() if times > 1} == {killed: 2}
    assert len(transcript["results"]) > seconds / 4.4
    assert transcript == in_one_run(patient.addresses, video_id, tmp_path)
