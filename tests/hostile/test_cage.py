"""What a program can do in the cage, tried from inside; and what is said where the cage cannot be closed."""

import re
import socket
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from biblio.adapters.audio.process import Process
from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.report import Report
from biblio.adapters.audio.sandbox import caged, lacking
from biblio.adapters.audio.tape import Tape
from tests.contracts.audio import Listener
from tests.contracts.films import BytesSource
from tests.repository import ROOT

SCRIPT = Path(__file__).with_name("escapist.py")
LIMITS = {"DATA": 512 * 1024**2, "AS": 5 * 512 * 1024**2, "FSIZE": 1024**2, "NOFILE": 64, "NPROC": 64, "CPU": 20}


@pytest.fixture
def neighbour(tmp_path: Path) -> Path:
    path = tmp_path / "neighbour" / "secret"
    path.parent.mkdir()
    path.write_text("canary")
    return path


@pytest.fixture
def unix_socket(tmp_path: Path) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        yield str(tmp_path / "socket")


class TestEscapes:
    def test_here_the_cage_is_closed_on_all_sides(self) -> None:
        """Otherwise the tests below would prove nothing; CI's machine must have it all."""
        assert lacking() == {}

    def test_nothing_gets_out(self, folder: Path, neighbour: Path, unix_socket: str, listener: Listener) -> None:
        before = set(psutil.Process().children())  # engines of other tests
        results = _try_all(folder, neighbour, listener.port, unix_socket)
        assert {name for name, result in results.items() if result == "free"} == HARMLESS
        assert len(results) > 40
        assert neighbour.read_text() == "canary"
        assert listener.visitors == 0
        assert set(psutil.Process().children()) - before == set()

    def test_without_the_cage_almost_all_of_it_works(
        self, folder: Path, neighbour: Path, unix_socket: str, listener: Listener
    ) -> None:
        """So the tries are real ones."""
        safe = ["read-passwords", "read-foreign-file", "list-neighbours", "call-host", "call-unix-socket", "fork"]
        command = [*_escapist(neighbour, listener.port, unix_socket)]
        script = SCRIPT.read_text().replace("in {**HARMLESS, **TRIES}.items()", f"in [(n, TRIES[n]) for n in {safe}]")
        done = subprocess.run([command[0], "-c", script, *command[-3:]], capture_output=True, text=True, cwd=folder)
        assert done.stdout.split() == [word for name in safe for word in (name, "free")]


class TestFfmpegWithoutLists:
    """The cage alone, as if ffmpeg had no lists of what is allowed, or a hole in them."""

    def test_a_play_list_reads_a_neighbours_film_without_the_cage_and_nothing_with_it(
        self, binary: str, folder: Path, canary_film: Path
    ) -> None:
        assert self._joined(binary, folder, f"file:{canary_film}", without=("part=files",)) > 1000
        assert self._joined(binary, folder, f"file:{canary_film}", without=()) == 0

    def test_a_play_list_calls_the_host_without_the_cage_and_nobody_with_it(
        self, binary: str, folder: Path, listener: Listener
    ) -> None:
        url = f"http://127.0.0.1:{listener.port}/film.mp4"
        self._joined(binary, folder, url, without=("part=files", "part=network"))
        assert listener.visitors > 0
        before = listener.visitors
        self._joined(binary, folder, url, without=("part=files",))  # the namespace alone
        self._joined(binary, folder, url, without=("part=network",))  # Landlock alone: another port than the relay's
        assert listener.visitors == before

    def _joined(self, binary: str, folder: Path, film: str, *, without: tuple[str, ...]) -> int:
        """Bytes of sound that came out of a play list that names `film`."""
        allowed = ("-protocol_whitelist", "file,http,tcp", "-safe", "0", "-f", "concat")
        command = [binary, "-nostdin", "-y", *allowed, "-i", "http://127.0.0.1:{port}/", "-vn", "-t", "2", "out.flac"]
        command = [word for word in caged(command, {}, listen=True) if word not in without]
        tape = Tape(BytesSource(f"ffconcat version 1.0\nfile '{film}'\n".encode()))
        with Process(command, folder) as process, Relay(tape, process.listener(), "/"):
            process.follow(Report(), lambda: None)
        size = (folder / "out.flac").stat().st_size if (folder / "out.flac").exists() else 0
        (folder / "out.flac").unlink(missing_ok=True)
        return size


class TestWhatIsMissing:
    """On a system without user namespaces: a sysctl forbids them, in a namespace made for the test."""

    def test_it_is_said_once_and_the_rest_still_holds(self, folder: Path, canary_film: Path) -> None:
        done = _without_namespaces("auto", canary_film, folder)
        assert done.returncode == 0, done.stderr
        assert "sound 9" in done.stdout
        assert done.stdout.count("is not cut off from the network") == 1
        assert len(re.findall("WARNING.*is not cut off from the network", done.stderr)) == 1
        assert "filtered" not in done.stdout + done.stderr

    def test_where_all_of_it_is_required_nothing_is_done(self, folder: Path, canary_film: Path) -> None:
        done = _without_namespaces("required", canary_film, folder)
        assert "SANDBOX_MISSING" in done.stdout
        assert "sound" not in done.stdout
        assert list(folder.iterdir()) == []


def _without_namespaces(sandbox: str, film: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _POORER, sandbox, str(film), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)


_POORER = textwrap.dedent(
    """
    import logging, sys
    from pathlib import Path
    from biblio.adapters.audio.cage import namespaces
    from biblio.adapters.audio.ffmpeg import connect
    from biblio.dsn import Dsn
    from biblio.errors import Misconfigured
    from tests.contracts.films import BytesSource

    logging.basicConfig()
    namespaces.enter()
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    sandbox, film, folder = sys.argv[1:]
    extractor = connect(Dsn("ffmpeg", options={"sandbox": sandbox}))
    print(*extractor.shortcomings(), sep="\\n")
    try:
        for _ in range(2):
            sound = extractor.extract(BytesSource(Path(film).read_bytes()), Path(folder), lambda share: None)
        print("sound", round(sound.duration))
    except Misconfigured as error:
        print(error.code)
    """
)
HARMLESS = {"write-own-file", "read-own-file", "thread"}


def _try_all(folder: Path, neighbour: Path, port: int, unix_socket: str) -> dict[str, str]:
    command = caged(_escapist(neighbour, port, unix_socket), LIMITS, listen=False)
    # What Python needs beside its binary: its own library and this script, nothing else.
    at = command.index("--")
    readable = [f"read={path}" for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), SCRIPT}]
    command[at:at] = readable
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def _escapist(neighbour: Path, port: int, unix_socket: str) -> list[str]:
    python = str(Path(sys.executable).resolve())
    return [python, "-I", "-S", str(SCRIPT), str(neighbour), str(port), unix_socket]
