"""Workers that are killed while Google Speech hears: its operations are taken up, and none is paid for twice."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from biblio.bootstrap import build, engines
from biblio.domain import keys
from biblio.domain.flow import Status
from biblio.domain.transcript import Sentence, sentences_of
from biblio.domain.video import Video
from biblio.local.sample import TALK
from biblio.pipeline import runner
from biblio.pipeline.cancel import cancel
from biblio.pipeline.services import Services
from biblio.settings import read_settings
from tests.adapters.speech.google_talks import run
from tests.adapters.speech.sounds import ffmpeg
from tests.emulators.gcs import Gcs, running_gcs
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.google_speech_state import GoogleSpeech, Wrong
from tests.pipeline.hearing import extracted, heard, transcript
from tests.pipeline.listener import start_listener

PATIENCE = 60.0
PIECES = "longest=120&parallel=3"
"""Hence four of them at least, each longer than what is heard at once."""


@dataclass(frozen=True)
class Clinic:
    """Services whose ear is the emulated `google`; `settings` are those of a process that hears with it."""

    services: Services
    settings: Mapping[str, str]
    google: GoogleSpeech


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    with running_gcs() as gcs:
        yield gcs


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The talk again and again, for eight minutes."""
    film = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg("-stream_loop", "-1", "-i", TALK, "-t", "480", "-vn", "-ac", "1", "-c:a", "aac", film)
    return film


@contextmanager
def clinic(addresses: Mapping[str, str], gcs: Gcs) -> Iterator[Clinic]:
    with google_speech_emulator(gcs) as google:
        settings = {**addresses, "BIBLIO_SPEECH": f"{google.address}&{PIECES}"}
        services = build(read_settings(settings))
        for engine in engines(services).values():
            engine.prepare()
        yield Clinic(services, settings, google)
        for engine in engines(services).values():
            engine.close()


@pytest.fixture
def ill(own_addresses: Mapping[str, str], gcs: Gcs) -> Iterator[Clinic]:
    with clinic(own_addresses, gcs) as found:
        yield found


def kill_when(ill: Clinic, video: Video, reached: Callable[[GoogleSpeech], bool], seconds: float = 0.0) -> None:
    """SIGKILL to a process that hears it."""
    name = f"listener of {video.id}"
    process = start_listener(ill.settings, video.id, name)
    try:
        deadline = time.monotonic() + PATIENCE
        while not reached(ill.google) and process.is_alive():
            assert time.monotonic() < deadline, ill.google.methods
            time.sleep(0.01)
        time.sleep(seconds)
    finally:
        process.kill()
        process.join()
    runner.bury(ill.services, name)


def require_paid_once(ill: Clinic, video: Video, folder: Path, trial: str = "") -> None:
    """And every word, and nothing left behind. What is heard at once (a short last piece) has no name to ask for."""
    assert heard(ill.services, video).status is Status.EMBEDDING, trial
    assert set(ill.google.batches.values()) == {1}, trial
    assert ill.google.staged == {}, trial
    paid = len(ill.google.paid)
    sentences, pieces = undisturbed(ill, video, folder)
    assert paid == pieces >= 4, trial
    assert transcript(ill.services, video).sentences == sentences, trial


def undisturbed(ill: Clinic, video: Video, folder: Path) -> tuple[tuple[Sentence, ...], int]:
    """What one run hears, and in how many pieces."""
    audio = folder / f"{video.id}.flac"
    audio.write_bytes(b"".join(ill.services.storage.read(keys.speech_audio(video.id))))
    found = run(ill.settings["BIBLIO_SPEECH"], audio)
    return sentences_of(word for one in found for word in one.words), sum(one.ends_piece for one in found)


def test_operations_are_taken_up_by_name_after_kill_9(ill: Clinic, film: Path, tmp_path: Path) -> None:
    video = extracted(ill.services, film)
    ill.google.operation_seconds = 1.5
    kill_when(ill, video, lambda google: google.batches.total() >= 3, seconds=0.5)
    begun = ill.google.batches.total()
    heard(ill.services, video)
    assert begun < ill.google.batches.total(), "there was more to come"
    require_paid_once(ill, video, tmp_path)


def test_one_whose_name_the_killed_worker_never_heard_is_found(ill: Clinic, film: Path, tmp_path: Path) -> None:
    video = extracted(ill.services, film)
    ill.google.wrongs.append(Wrong("BatchRecognize", does=True, seconds=5))
    kill_when(ill, video, lambda google: google.batches.total() >= 1)
    assert ill.google.methods["GetOperation"] == 0
    require_paid_once(ill, video, tmp_path)
    assert ill.google.methods["ListOperations"] >= 1


@pytest.mark.timeout(3600)
def test_a_kill_at_any_moment_pays_for_nothing_twice(
    own_addresses: Mapping[str, str], gcs: Gcs, film: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    given: int | None = pytestconfig.getoption("--resume-seed")
    seed = random.SystemRandom().randrange(1_000_000) if given is None else given
    for trial in range(max(2, pytestconfig.getoption("--resume-kills") // 4)):
        dice = random.Random(f"{seed} {trial}")
        with clinic(own_addresses, gcs) as ill:
            killed_once(ill, film, tmp_path, dice, f"--resume-seed {seed}, trial {trial}")


def killed_once(ill: Clinic, film: Path, folder: Path, dice: random.Random, trial: str) -> None:
    video = extracted(ill.services, film)
    ill.google.operation_seconds, calls = 0.4, dice.randrange(1, 30)
    kill_when(ill, video, lambda google: google.methods.total() >= calls, seconds=dice.uniform(0, 0.2))
    require_paid_once(ill, video, folder, trial)
    cancel(ill.services, video.user_id, video.id)  # so that nobody embeds it
