"""A lecture at Google Speech, whose worker is killed with operations under way: they are taken up, not paid again."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from biblio.entrypoints.cli.local_library import LocalLibrary
from biblio.local.folder import DataFolder
from biblio.local.sample import TALK
from biblio.settings import read_settings
from tests.adapters.speech.sounds import ffmpeg
from tests.conftest import Server
from tests.e2e.test_killed_worker import children_of
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.google_speech_state import GoogleSpeech

PATIENCE = 120.0


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleSpeech]:
    with google_speech_emulator() as google:
        google.operation_seconds = 3
        yield google


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory, google: GoogleSpeech) -> Iterator[Server]:
    """A whole biblio whose ear is Google's."""
    folder = DataFolder(tmp_path_factory.mktemp("library"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BIBLIO_SPEECH", f"{google.address}&longest=120&parallel=2")
        library = LocalLibrary(folder, read_settings(), port=None, say=lambda _line: None)
        with library.stack:
            yield Server(library.page, folder.api_key.read_text().strip(), folder, library.stack.addresses)


@pytest.mark.timeout(300)
def test_every_piece_is_paid_for_once_after_kill_9(listening: Server, google: GoogleSpeech, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-stream_loop", "-1", "-i", TALK, "-t", "480", "-vn", "-ac", "1", "-c:a", "aac", film)
    with listening.client() as client:
        video_id = client.upload(film)["video_id"]
        deadline = time.monotonic() + PATIENCE
        while google.batches.total() < 3:
            assert time.monotonic() < deadline, client.status(video_id)
            time.sleep(0.05)
        workers = children_of(listening, "ai")
        assert workers
        for process in workers:
            process.kill()
        ended = client.wait(video_id, lambda _status: None)
        assert ended["status"] == "COMPLETED", ended
        assert len(client.transcript(video_id, format="txt").splitlines()) > 100
    assert set(google.batches.values()) == {1}
    assert len(google.paid) >= 4
    assert google.staged == {}
