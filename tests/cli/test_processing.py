"""`biblio cancel`, `reprocess`, `history`, `usage`, and what is said of videos that wait."""

import json
import os
import pty
import subprocess
from typing import Any, cast

import pytest

from biblio.client.models import Status
from biblio.entrypoints.cli.report import Lines, outlook
from tests.cli.conftest import COMMAND, Biblio
from tests.emulators.biblio_api import ApiEmulator


@pytest.fixture
def video_id(api: ApiEmulator) -> str:
    video = api.add("강의.mp4", 1000, "video/mp4", "강의", {})
    video.update(status="FAILED")
    return str(video["video_id"])


def told(**changes: Any) -> Status:
    status: Any = {
        "video_id": "v",
        "status": "TRANSCRIBING",
        "progress": 40,
        "step": "transcribe",
        "error": None,
        "updated_at": "2026-01-05T09:00:00Z",
        "event_id": 7,
        "seconds_left": None,
        "queue_position": None,
        "kind": "status",
        "detail": {},
    }
    return cast(Status, {**status, **changes})


QUOTA = {"step": "transcribe", "code": "RATE_LIMITED", "message": "Too many\nminutes.", "seconds": 30.0}


def test_cancel(api: ApiEmulator, biblio: Biblio, video_id: str) -> None:
    assert biblio("cancel", video_id).stderr == "Canceled.\n"
    assert api.videos[video_id]["status"] == "CANCELED"
    assert biblio("cancel", "nope").returncode == 1


def test_reprocess(api: ApiEmulator, biblio: Biblio, video_id: str) -> None:
    done = biblio("reprocess", video_id, "--from", "transcribe", "--language", "ko", "--model", "fast")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"biblio status {video_id} --watch" in done.stderr
    assert biblio("reprocess", video_id, "--wait").stdout.splitlines()[-1].startswith("completed 100%")
    options = {"language": "ko", "model": "fast"}
    assert api.wishes == [{"step": "transcribe", "options": options}, {}]
    assert biblio("reprocess", video_id, "--from", "delete").returncode == 2


def test_history(api: ApiEmulator, biblio: Biblio, environment: dict[str, str], video_id: str) -> None:
    failure = {"step": "transcribe", "code": "WORKER_DIED", "message": "The worker died."}
    api.events = [
        dict(told(event_id=1, status="PENDING", step=None, progress=0)),
        dict(told(event_id=2, kind="begun", detail={"step": "transcribe", "attempt": 1})),
        dict(told(event_id=3, progress=41)),
        dict(told(event_id=4, progress=42)),
        dict(told(event_id=5, kind="waiting", detail=QUOTA)),
        dict(told(event_id=6, status="FAILED", error=failure)),
    ]
    lines = [line.split("\t") for line in biblio("history", video_id).stdout.splitlines()]
    assert [line[1:] for line in lines[:2]] == [["pending 0%", "", "", ""], ["begun", "transcribe", "1", ""]]
    assert lines[4][1:] == ["waits for quota", "transcribe", "", "Too many minutes. (RATE_LIMITED), again in 30 s"]
    assert lines[5][1:] == ["failed 40%", "transcribe", "", "The worker died. (WORKER_DIED)"]
    told_as_json = [json.loads(line) for line in biblio("history", video_id, "--json").stdout.splitlines()]
    assert told_as_json == api.events
    shown = on_terminal(environment, "history", video_id)
    assert "42%" not in shown
    assert all(word in shown for word in ("pending 0%", "begun", "waits for quota", "failed 40%", "WORKER_DIED"))


def test_usage(api: ApiEmulator, biblio: Biblio, environment: dict[str, str]) -> None:
    lines = biblio("usage", "--from", "2026-01-01", "--to", "2026-02-01T00:00:00").stdout.splitlines()
    assert lines == ["v1\tbytes_stored\t1500000000\ts3", "v1\tseconds_transcribed\t3723\twhisper"]
    assert api.wishes == [{"from": "2026-01-01T00:00:00", "to": "2026-02-01T00:00:00"}]
    assert json.loads(biblio("usage", "--json").stdout)["totals"]["bytes_stored"] == 1.5e9
    shown = on_terminal(environment, "usage")
    assert all(word in shown for word in ("v1", "1.5 GB", "1:02:03", "all"))


def test_what_is_to_be_expected() -> None:
    assert outlook(told(seconds_left=62.0)) == "1:02 left"
    assert outlook(told(seconds_left=62.0, queue_position=3)) == "number 3 in line"
    assert outlook(told(kind="retry", detail=QUOTA)) == "again in 30 s"
    assert outlook(told(seconds_left=62.0, waiting_for="quota")) == "waiting for quota"
    assert outlook(told()) == ""


def test_why_a_video_waits_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(errors_only=False)
    for status in (
        told(status="PENDING", queue_position=2),
        told(status="PENDING", queue_position=1),
        told(kind="begun", detail={"step": "transcribe", "attempt": 1}),
        told(progress=41),
        told(kind="waiting", detail=QUOTA),
        told(kind="waiting", detail=QUOTA),
        told(kind="begun", detail={"step": "transcribe", "attempt": 2}),
        told(kind="waiting", detail=QUOTA),
        told(kind="resumed", detail={"step": "transcribe", "attempt": 2}),
    ):
        lines.moved(0, "강의.mp4", status)
    assert capsys.readouterr().out.splitlines() == [
        "강의.mp4: waiting, number 2 in line",
        "강의.mp4: waiting, number 1 in line",
        "강의.mp4: transcribing",
        "강의.mp4: waiting for quota, will be tried again in 30 s: Too many minutes.",
        "강의.mp4: transcribing",
        "강의.mp4: waiting for quota, will be tried again in 30 s: Too many minutes.",
        "강의.mp4: transcribing",
    ]


def on_terminal(environment: dict[str, str], *arguments: str) -> str:
    ours, theirs = pty.openpty()
    there = {**environment, "TERM": "xterm", "COLUMNS": "140"}
    subprocess.run([*COMMAND, *arguments], env=there, stdout=theirs, stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    return shown
