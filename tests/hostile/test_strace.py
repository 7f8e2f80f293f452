"""What the kernel saw ffmpeg do: the proof that does not ask ffmpeg, nor us."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from biblio.adapters.audio.sandbox import NEEDED
from tests.hostile.grinder import COMMAND
from tests.hostile.links import links, with_sound

OUTPUTS = {"listening.mp3", "speech.flac"}
OPENED = re.compile(r'open(?:at|at2)?\((?:AT_FDCWD, )?"([^"]*)".*\) = \d+')
CONNECTED = re.compile(r'connect\(\d+, \{sa_family=(\w+), sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)')
THREAD = re.compile(r"clone\(.*CLONE_THREAD.*\) = (\d+)")


@pytest.fixture
def traces(binary: str, tmp_path: Path, canary_film: Path) -> list[tuple[list[str], list[str]]]:
    """For each run of ffmpeg what its cage did, and what it did itself."""
    files = {**links(canary_film, "http://127.0.0.1:9/x"), **with_sound(canary_film, "http://127.0.0.1:9/x")}
    chosen = ["hls-file", "hls-http", "ffconcat-relative", "dash-file", "mov-dref-alias", "matroska-linked-segments"]
    (tmp_path / "files").mkdir()
    for name in chosen:
        (tmp_path / "files" / name).write_bytes(files[name])
    (tmp_path / "files" / "film").write_bytes(canary_film.read_bytes())
    calls = "trace=%file,%network,%process,unshare,seccomp,prctl,landlock_restrict_self"
    strace = ["strace", "-ff", "-o", str(tmp_path / "trace"), "-s", "4096", "-e", calls]
    command = [*strace, *COMMAND, str(tmp_path / "files"), f"binary={binary}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=200)
    assert done.returncode == 0, done.stderr
    assert '"film", "code": "sound"' in done.stdout
    return [found for path in sorted(tmp_path.glob("trace.*")) if (found := _run_of_ffmpeg(path, binary))]


def _run_of_ffmpeg(path: Path, binary: str) -> tuple[list[str], list[str]] | None:
    lines = path.read_text(errors="replace").splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith(f'execve("{binary}"')), None)
    if start is None:
        return None
    own, threads = lines[start:], {found for line in lines[start:] for found in THREAD.findall(line)}
    while threads:
        more = path.with_name(f"trace.{threads.pop()}").read_text(errors="replace").splitlines()
        threads |= {found for line in more for found in THREAD.findall(line)}
        own += more
    return lines[:start], own


class TestWhatTheKernelSaw:
    def test_ffmpeg_opens_its_libraries_and_its_outputs_only(
        self, traces: list[tuple[list[str], list[str]]], binary: str
    ) -> None:
        assert len(traces) == 7
        opened = {found[1] for _, own in traces for line in own if (found := OPENED.search(line))}
        libraries = str(Path(binary).resolve().parents[1] / "lib")
        allowed = tuple(f"{place}/" for place in (*NEEDED, libraries))
        assert {path for path in opened if path not in {*OUTPUTS, *NEEDED} and not path.startswith(allowed)} == set()
        assert opened >= OUTPUTS
        changed = r"(?:un)?link|rename|mkdir|mknod|chmod|chown|truncate|mount"
        assert [line for _, own in traces for line in own if re.match(rf"(?:{changed})\w*\(.*\) = 0", line)] == []

    def test_ffmpeg_connects_to_our_relay_only_in_a_network_of_its_own(
        self, traces: list[tuple[list[str], list[str]]]
    ) -> None:
        for cage, own in traces:
            assert any("CLONE_NEWNET" in line and line.endswith(" = 0") for line in cage)
            sockets = [line for line in own if line.startswith("socket(")]
            assert sockets
            assert all(line.startswith("socket(AF_INET, SOCK_STREAM") for line in sockets)
            calls = [found.groups() for line in own if (found := CONNECTED.search(line))]
            assert len(calls) == len([line for line in own if line.startswith("connect(")])
            assert len(set(calls)) == 1
            assert {(family, address) for family, _, address in calls} == {("AF_INET", "127.0.0.1")}

    def test_ffmpeg_starts_no_program_and_no_process(self, traces: list[tuple[list[str], list[str]]]) -> None:
        for cage, own in traces:
            assert any(line.startswith("landlock_restrict_self(") and line.endswith(" = 0") for line in cage)
            assert any(line.startswith("seccomp(SECCOMP_SET_MODE_FILTER") or "PR_SET_SECCOMP" in line for line in cage)
            assert len([line for line in own if line.startswith("execve")]) == 1
            started = [line for line in own if re.match(r"(?:clone3?|v?fork)\(", line) and not line.endswith(")")]
            assert all("CLONE_THREAD" in line for line in started)


def test_the_tracer_sees_what_is_forbidden(tmp_path: Path) -> None:
    """So that a silent trace means something."""
    log = tmp_path / "log"
    script = "import socket; open('/etc/passwd'); s = socket.socket(); s.connect_ex(('127.0.0.1', 9))"
    subprocess.run(["strace", "-o", str(log), sys.executable, "-c", script], check=True, timeout=60)
    text = log.read_text()
    assert "/etc/passwd" in {found[1] for found in OPENED.finditer(text)}
    assert [found[3] for found in CONNECTED.finditer(text)] == ["127.0.0.1"]
