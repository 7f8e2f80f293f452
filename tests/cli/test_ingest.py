"""`biblio ingest`: exit codes, what programs read and what people read."""

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.cli.conftest import COMMAND, Biblio
from tests.emulators.biblio_api import ROAD, ApiEmulator, Fault


def objects(text: str) -> list[dict[str, Any]]:
    """Every line of standard output as JSON: fails when anything else stands there."""
    return [json.loads(line) for line in text.splitlines()]


def test_without_wait_accepted_is_enough(api: ApiEmulator, biblio: Biblio, film: str) -> None:
    done = biblio("ingest", film, "--json", "--language", "ko", "--model", "fast", "--title", "첫 강의")
    (answer,) = objects(done.stdout)
    assert done.returncode == 0
    assert {name: answer[name] for name in ("file", "status", "error")} == {
        "file": film,
        "status": "PENDING",
        "error": None,
    }
    video = api.videos[answer["video_id"]]
    assert (video["title"], video["options"]) == ("첫 강의", {"language": "ko", "model": "fast"})
    assert done.stderr == ""


def test_wait_tells_how_it_ended(biblio: Biblio, film: str) -> None:
    done = biblio("ingest", film, "--json", "--wait")
    (answer,) = objects(done.stdout)
    assert done.returncode == 0
    assert (answer["status"], answer["duration"], answer["language"]) == ("COMPLETED", 3723.5, "ko")


def test_one_object_a_file_whatever_happens(biblio: Biblio, film: str, tmp_path: Path) -> None:
    for name in ("silent.mkv", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    files = (film, "silent.mkv", "notes.txt", "missing.mp4", ".")
    done = biblio("ingest", *files, "--json", "--wait")
    answers = {answer["file"]: answer for answer in objects(done.stdout)}
    assert done.returncode == 1
    assert set(answers) == set(files)
    codes = [(answers[file]["error"] or {}).get("code") for file in files]
    assert codes == [None, "NO_AUDIO_TRACK", "UNSUPPORTED_FORMAT", "FILE_NOT_FOUND", "IS_A_FOLDER"]
    assert "error: silent.mkv: The file has no sound track. (NO_AUDIO_TRACK)" in done.stderr


def test_json_survives_a_terminal_that_knows_no_korean(biblio: Biblio, film: str) -> None:
    done = biblio("ingest", film, "--json", PYTHONIOENCODING="ascii")
    assert objects(done.stdout)[0]["file"] == film


def test_plain_lines_where_nobody_watches(biblio: Biblio, film: str) -> None:
    done = biblio("ingest", film, "--wait")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == f"{film}: uploading 4.0 kB"
    assert f"{film}: transcribing" in lines
    assert lines[-1].startswith(f"{film}: completed  1:02:03  ko  ")
    assert "\x1b" not in done.stdout + done.stderr


def test_a_dead_server_is_told_once(api: ApiEmulator, biblio: Biblio, film: str) -> None:
    done = biblio("ingest", film, film, BIBLIO_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.count("biblio up") == 1
    assert "1 more" in done.stderr
    done = biblio("ingest", film, film, "--json", BIBLIO_URL="http://127.0.0.1:9")
    assert [answer["error"]["code"] for answer in objects(done.stdout)] == ["SERVER_UNREACHABLE"] * 2
    done = biblio("ingest", film, "--json", BIBLIO_URL="", BIBLIO_API_KEY="")
    assert [answer["error"]["code"] for answer in objects(done.stdout)] == ["SERVER_UNREACHABLE"]


def test_a_broken_upload_leaves_the_others_alone(api: ApiEmulator, biblio: Biblio, film: str) -> None:
    api.faults.append(Fault("PUT .*", 1))
    done = biblio("ingest", film, film, "--json")
    assert done.returncode == 1
    first, second = objects(done.stdout)
    assert (first["status"], first["error"]["code"]) == ("FAILED", "UPLOAD_INTERRUPTED")
    assert second["status"] == "PENDING"


def test_usage_errors_are_2(biblio: Biblio, film: str) -> None:
    assert biblio("ingest").returncode == 2
    assert biblio("ingest", film, "--colour").returncode == 2
    done = biblio("ingest", film, film, "--title", "x")
    assert done.returncode == 2
    assert "one file" in done.stderr


def test_ctrl_c_says_that_the_server_goes_on(
    api: ApiEmulator, environment: dict[str, str], film: str, tmp_path: Path
) -> None:
    api.longest_road = ("PENDING",)  # never ends
    process = subprocess.Popen(
        [*COMMAND, "ingest", film, "--wait", "--json"],
        env=environment,
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background jobs, and so their children, ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not any(call.endswith("/status") for call in api.calls) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.startswith("Stopped. biblio goes on with what was uploaded (1 of 1 files)")
    assert "Traceback" not in err


def test_on_a_terminal_bars_and_then_a_line(environment: dict[str, str], film: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "ingest", film, "--wait"],
        env={**environment, "TERM": "xterm-256color"},
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    text = shown.decode()
    assert all(word in text for word in ("transcribing", "━", "✓", film, "completed", "1:02:03"))
    assert "\x1b[?25h" in text  # the cursor is back


def test_bars_leave_piped_json_alone(environment: dict[str, str], film: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "ingest", film, "--wait", "--json"],
        env={**environment, "TERM": "xterm-256color"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    out, _ = process.communicate(timeout=200)
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert [answer["status"] for answer in objects(out.decode())] == [ROAD[-1]]
    assert b"\x1b[" in shown
