"""`biblio ingest`: exit codes, what programs read and what people read."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, Biblio
from tests.emulators.biblio_api import ROAD, ApiEmulator
from tests.emulators.faults import SLOW, Fault


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
    api.faults.append(Fault("PUT .*", 400))
    done = biblio("ingest", film, film, "--json")
    assert done.returncode == 1
    first, second = objects(done.stdout)
    assert (first["status"], first["error"]["code"]) == ("FAILED", "UPLOAD_REJECTED")
    assert second["status"] == "PENDING"


def test_an_upload_goes_on_where_it_stopped(api: ApiEmulator, biblio: Biblio, film: str) -> None:
    api.threshold, api.part_size = 0, 1000
    api.faults.append(Fault("PUT .*/4", 400))
    assert biblio("ingest", film).returncode == 1
    (parts,) = api.storage.parts.values()
    for number in set(parts) - {2}:
        del parts[number]
    done = biblio("ingest", film)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [f"{film}: uploading 4.0 kB", f"{film}: resumed at 25%"]
    assert len(api.videos) == 1


def test_usage_errors_are_2(biblio: Biblio, film: str) -> None:
    assert biblio("ingest").returncode == 2
    assert biblio("ingest", film, "--colour").returncode == 2
    done = biblio("ingest", film, film, "--title", "x")
    assert done.returncode == 2
    assert "one file" in done.stderr


def interrupted(
    environment: dict[str, str], folder: Path, *arguments: str, when: Callable[[], bool]
) -> tuple[str, str]:
    """What `biblio ingest` wrote to standard output and error until it ended by a Ctrl-C `when` told so."""
    process = subprocess.Popen(
        [*COMMAND, "ingest", *arguments],
        env=environment,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background jobs, and so their children, ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not when() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err
    return out, err


def test_ctrl_c_says_that_the_server_goes_on(
    api: ApiEmulator, environment: dict[str, str], film: str, tmp_path: Path
) -> None:
    api.longest_road = ("PENDING",)  # never ends
    out, err = interrupted(
        environment,
        tmp_path,
        *(film, "--wait", "--json"),
        when=lambda: any(call.endswith("/status") for call in api.calls),
    )
    assert out == ""
    assert err.startswith("Stopped. biblio goes on with what was uploaded (1 of 1 files); `biblio list` shows")


@pytest.mark.parametrize("threshold", [0, 100_000], ids=["in parts", "whole"])
def test_ctrl_c_says_how_to_go_on(
    api: ApiEmulator, environment: dict[str, str], biblio: Biblio, film: str, tmp_path: Path, threshold: int
) -> None:
    api.threshold, api.part_size = threshold, 1000
    api.faults.append(Fault("PUT .*/3|PUT .*-[0-9]{12}", SLOW, times=9, seconds=30))
    out, err = interrupted(environment, tmp_path, film, when=lambda: len(api.storage.calls) > 0)
    assert err == "Stopped. What has arrived is kept: the same command goes on where it stopped.\n"
    api.faults.clear()
    assert biblio("ingest", film).returncode == 0
    assert len(api.videos) == 1


def test_ctrl_c_leaves_out_what_is_done(
    api: ApiEmulator, environment: dict[str, str], film: str, tmp_path: Path
) -> None:
    (tmp_path / "second.mp4").write_bytes(b"second")
    api.faults.append(Fault("PUT .*-0{11}1", SLOW, times=9, seconds=30))
    _, err = interrupted(environment, tmp_path, film, "second.mp4", when=lambda: len(api.storage.calls) > 1)
    assert err == (
        "Stopped. biblio goes on with what was uploaded (1 of 2 files); "
        "the same command without those goes on where it stopped.\n"
    )


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
