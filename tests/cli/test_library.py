"""`biblio list`, `status`, `search`, `transcript`, `delete`, and how errors are told."""

import json
import os
import pty
import subprocess
import sys

import pytest

from biblio.entrypoints.cli.output import clock, one_line
from tests.cli.conftest import COMMAND, Biblio
from tests.emulators.biblio_api import ROAD, TEXT, ApiEmulator

STATE = {"video_id", "status", "progress", "step", "error", "updated_at"}


@pytest.fixture
def video_id(api: ApiEmulator) -> str:
    video = api.add("데이터베이스.mp4", 1000, "video/mp4", "데이터\n베이스 \x1b[31m", {})
    video.update(status="COMPLETED", duration=3723.5, language="ko", progress=100)
    return str(video["video_id"])


def test_list(biblio: Biblio, video_id: str) -> None:
    row = f"{video_id}\tCOMPLETED\t1:02:03\tko\t데이터 베이스  [31m"
    assert biblio("list").stdout.splitlines() == [row]
    assert biblio("list", "--status", "failed").stdout == ""
    (line,) = biblio("list", "--json", "--status", "COMPLETED").stdout.splitlines()
    assert json.loads(line)["video_id"] == video_id
    assert biblio("list", "--status", "sleeping").returncode == 2


def test_list_says_how_uploads_go_on_and_keeps_their_addresses(
    api: ApiEmulator, environment: dict[str, str], biblio: Biblio
) -> None:
    api.add("cut off.mp4", 1000, "video/mp4", None, {})
    (line,) = biblio("list", "--json").stdout.splitlines()
    assert json.loads(line)["status"] == "UPLOADING"
    assert "s3cr3t" not in line
    ours, theirs = pty.openpty()
    on_terminal = {**environment, "TERM": "xterm", "COLUMNS": "120"}
    subprocess.run([*COMMAND, "list"], env=on_terminal, stdout=theirs, stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "uploading" in shown
    assert "1 not uploaded to the end: `biblio ingest` of the same file goes on where it stopped." in shown


def test_status(api: ApiEmulator, biblio: Biblio, video_id: str) -> None:
    assert biblio("status", video_id).stdout == "completed 100%\n"
    answer = json.loads(biblio("status", video_id, "--json").stdout)
    assert set(answer) == STATE | {"event_id", "seconds_left", "queue_position", "waiting_for"}
    api.videos[video_id]["status"] = "PENDING"
    lines = biblio("status", video_id, "--json", "--watch").stdout.splitlines()
    assert [json.loads(line)["status"] for line in lines] == list(ROAD[1:])


def test_watching_a_failure_fails(api: ApiEmulator, biblio: Biblio) -> None:
    video = api.add("silent.mp4", 1, None, None, {})
    video["status"] = "PENDING"
    done = biblio("status", video["video_id"], "--watch")
    assert done.returncode == 1
    assert "error: The file has no sound track. (NO_AUDIO_TRACK)" in done.stderr


def test_search(api: ApiEmulator, biblio: Biblio, video_id: str) -> None:
    done = biblio("search", "트랜잭션이 뭐야?", "--limit", "3", "--mode", "keyword", "--video", video_id)
    assert done.returncode == 0
    assert f"   12:34  {TEXT}" in done.stdout.splitlines()
    assert f"{api.url}/#video={video_id}&t=754" in done.stdout
    assert "\x1b" not in done.stdout
    answer = json.loads(biblio("search", "트랜잭션", "--json").stdout)
    assert set(answer) == {"query", "took_ms", "results", "next", "relaxed"}
    nothing = biblio("search", "nothing")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "Nothing found.\n")


def test_search_in_some_videos_for_exact_words(api: ApiEmulator, biblio: Biblio, video_id: str) -> None:
    done = biblio("search", '"말 그대로" -잠금', "--language", "ko", "--title", "50%")
    assert api.wishes == [{"q": '"말 그대로" -잠금', "language": "ko", "title": "50%"}]
    assert done.stderr.splitlines()[0] == "Nobody says exactly that; these answer its words."
    assert TEXT in done.stdout
    assert "Nobody" not in biblio("search", "말 그대로").stderr


@pytest.mark.parametrize("format", ["txt", "srt", "vtt", "json"])
def test_transcript(biblio: Biblio, video_id: str, format: str) -> None:
    done = biblio("transcript", video_id, "--format", format)
    assert done.returncode == 0
    assert TEXT in done.stdout
    assert done.stdout.endswith("\n")


def test_delete(api: ApiEmulator, biblio: Biblio, video_id: str) -> None:
    assert biblio("delete", video_id, "--yes").returncode == 0
    assert api.videos == {}
    assert biblio("delete", video_id, "--yes").returncode == 1


def test_errors_are_one_line_and_a_hint(biblio: Biblio, video_id: str) -> None:
    done = biblio("status", "nope")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: There is no such video. (NOT_FOUND)",
        "`biblio list` shows the ids of your videos.",
    ]
    done = biblio("list", BIBLIO_API_KEY="another")
    assert done.stderr.startswith("error: The key is missing or not known. (UNAUTHENTICATED)\n")
    assert "another" not in done.stderr


def test_the_server_is_found_by_the_environment_or_the_folder(biblio: Biblio) -> None:
    assert "BIBLIO_API_KEY is not" in biblio("list", BIBLIO_API_KEY="").stderr
    for arguments in (("list", "--data", "elsewhere"), ("--data", "elsewhere", "list")):
        done = biblio(*arguments)
        assert done.returncode == 1
        assert "elsewhere. Start it with `biblio up`" in done.stderr
    assert "Did you mean BIBLIO_URL?" in biblio("list", BIBLIO_ULR="x").stderr


def test_help_loads_nothing_heavy() -> None:
    """It answers at once only as long as what works is imported where it works."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "biblio", "--help"], capture_output=True, text=True
    )
    assert "ingest" in done.stdout
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & {"pydantic", "numpy", "httpx", "fastapi", "celery", "sqlalchemy", "psycopg", "asyncio"}


def test_times_as_people_write_them() -> None:
    assert [clock(seconds) for seconds in (None, 0, 7.9, 754, 3723.5, 36000)] == [
        "",
        "0:00",
        "0:07",
        "12:34",
        "1:02:03",
        "10:00:00",
    ]


def test_text_from_elsewhere_cannot_drive_the_terminal() -> None:
    assert one_line(" a\x1b[2Jb\r\nc\x07 ") == "a [2Jb  c"
