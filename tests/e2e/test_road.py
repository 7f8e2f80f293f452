"""Files of every kind go down the whole road: real upload, real workers, real recogniser."""

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from biblio.bootstrap import build, engines
from biblio.client import Client
from biblio.domain.video import MIME_TYPES
from biblio.errors import BiblioError, NotFound
from biblio.local.sample import QUESTIONS, TALK, TITLE, Question
from biblio.pipeline.services import Services
from biblio.settings import read_settings
from tests.conftest import Server

ENDINGS = ["mp4", "mov", "avi", "mkv", "webm", "m4v", "mp3", "wav", "m4a", "flac"]
VERDICTS = {"EMPTY_FILE", "UNREADABLE_MEDIA", "NO_AUDIO_TRACK", "TOO_LONG"}
CODECS = {"webm": ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"], "avi": ["-c:a", "libmp3lame"]}


def make(target: Path, *arguments: str) -> Path:
    command = [get_ffmpeg_exe(), "-y", "-v", "error", *arguments, str(target)]
    subprocess.run(command, check=True, timeout=120)
    return target


def verdict(client: Client, file: Path) -> tuple[str, str | None]:
    """How a file ends: its status and code; REFUSED before it set out."""
    try:
        ended = ingest(client, file)
    except BiblioError as refused:
        return "REFUSED", refused.code
    return ended["status"], ended["error"] and ended["error"]["code"]


def ingest(client: Client, file: Path, **options: Any) -> dict[str, Any]:
    video_id = client.upload(file, **options)["video_id"]
    return dict(client.wait(video_id, lambda _status: None))


@pytest.fixture(scope="module")
def talk(server: Server) -> str:
    with server.client() as client:
        ended = ingest(client, TALK, title=TITLE)
    assert ended["status"] == "COMPLETED"
    return str(ended["video_id"])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_the_right_moment_of_the_sample(server: Server, talk: str, question: Question) -> None:
    assert any(places(server, talk, question)[:2])


def test_the_first_moment_is_the_right_one_for_nearly_all_questions(server: Server, talk: str) -> None:
    """To the encoder, a question that is asked in the talk looks more like a question than its answer does."""
    first = [places(server, talk, question)[0] for question in QUESTIONS]
    assert sum(first) >= len(QUESTIONS) - 1


def places(server: Server, talk: str, question: Question) -> list[bool]:
    """Of the moments found, best first: whether the answer is said in them."""
    with server.client() as client:
        (found,) = client.search(question.text, video_id=talk)["results"]
    return [one["start_time"] <= question.end and one["end_time"] >= question.start for one in found["moments"]]


def test_every_ending_that_is_taken(server: Server, tmp_path: Path) -> None:
    files = []
    for ending in ENDINGS:
        target = tmp_path / f"짧은 강의.{ending.upper() if ending == 'mp4' else ending}"
        sound_only = ["-vn"] if ending in ("mp3", "wav", "m4a", "flac") else ["-s", "320x180"]
        files.append(make(target, "-ss", "0", "-t", "8", "-i", str(TALK), *sound_only, *CODECS.get(ending, [])))
    with server.client() as client:
        ids = {file.name: client.upload(file)["video_id"] for file in files}
        for name, video_id in ids.items():
            assert client.wait(video_id, lambda _status: None)["status"] == "COMPLETED", name
            assert "library that learned to remember" in client.transcript(video_id, format="txt"), name


def test_silence_completes_with_an_empty_transcript(server: Server, tmp_path: Path) -> None:
    silence = make(tmp_path / "silence.mp4", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", "5")
    with server.client() as client:
        ended = ingest(client, silence)
        assert ended["status"] == "COMPLETED"
        assert client.transcript(ended["video_id"], format="json").strip() == '{"results":[]}'
        assert client.video(ended["video_id"])["language"] is None


def test_no_sound_track_fails_with_its_code_and_keeps_the_original(server: Server, tmp_path: Path) -> None:
    mute = make(tmp_path / "mute.mp4", "-f", "lavfi", "-i", "testsrc=d=2:s=320x180", "-pix_fmt", "yuv420p")
    with server.client() as client:
        ended = ingest(client, mute)
        assert ended["status"] == "FAILED"
        assert ended["error"]["code"] == "NO_AUDIO_TRACK"
        assert ended["error"]["step"] == "extract"
        assert client.media(ended["video_id"])["audio"] is None


def test_a_truncated_film_fails_with_its_code(server: Server, tmp_path: Path) -> None:
    whole = TALK.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with server.client() as client:
        ended = ingest(client, cut)
    assert (ended["status"], ended["error"]["code"]) == ("FAILED", "UNREADABLE_MEDIA")


def test_a_given_language_is_obeyed(server: Server, tmp_path: Path) -> None:
    short = make(tmp_path / "short.mp4", "-t", "8", "-i", str(TALK), "-c", "copy")
    with server.client() as client:
        ended = ingest(client, short, language="es", model="fast")
        assert client.video(ended["video_id"])["language"] == "es"


def test_progress_never_falls(server: Server) -> None:
    seen: list[int] = []
    with server.client() as client:
        ended = client.wait(client.upload(TALK)["video_id"], lambda status: seen.append(status["progress"]))
    assert ended["status"] == "COMPLETED"
    assert seen == sorted(seen)
    assert seen[-1] == 100


def test_a_deleted_video_is_hidden_at_once_and_gone_from_every_store(server: Server) -> None:
    services = build(read_settings({}, defaults=server.addresses))
    with server.client() as client:
        ended = ingest(client, TALK)
        with services.catalog.transaction() as tx:
            user_id = tx.videos.get(ended["video_id"]).user_id
        assert services.vectors.ids(user_id, ended["video_id"])
        client.delete(ended["video_id"])
        assert ended["video_id"] not in [video["video_id"] for video in client.videos()]
    _wait_until_forgotten(services, ended["video_id"])
    assert services.storage.remove(f"videos/{ended['video_id']}/") == 0
    assert services.vectors.ids(user_id, ended["video_id"]) == {}
    for engine in engines(services).values():
        engine.close()


def _wait_until_forgotten(services: Services, video_id: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with services.catalog.transaction() as tx:
                tx.videos.get(video_id)
        except NotFound:
            return
        time.sleep(0.2)
    pytest.fail("the catalog still knows the video")


def test_korean_speech_answers_a_korean_question(server: Server, test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "speech/ko/pansori_tedx/9j_HEK5nfyw"
    parts = sorted(folder.glob("*.flac"))[:40]
    listing = tmp_path / "parts.txt"
    listing.write_text("".join(f"file '{part}'\n" for part in parts))
    film = make(tmp_path / "통계 강연.mp4", "-f", "concat", "-safe", "0", "-i", str(listing), "-c:a", "aac")
    with server.client() as client:
        ended = ingest(client, film)
        assert ended["status"] == "COMPLETED"
        assert client.video(ended["video_id"])["language"] == "ko"
        found = client.search("통계", video_id=ended["video_id"])["results"][0]["moments"][0]
    assert "통계" in found["text"]


def test_hostile_files_end_with_a_code_and_every_worker_lives(server: Server, test_data: Path) -> None:
    files = [file for file in sorted((test_data / "hostile").iterdir()) if file.suffix[1:].lower() in MIME_TYPES]
    assert files
    with server.client() as client:
        for file in files:
            status, code = verdict(client, file)
            assert (status, code) == ("COMPLETED", None) or code in VERDICTS, (file.name, status, code)
        assert ingest(client, TALK)["status"] == "COMPLETED"
