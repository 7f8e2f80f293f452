"""The program that reads strangers' files gets little, owns nothing and outlives nobody."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from biblio.errors import Rejected, Unavailable
from tests.adapters.audio.building import extractor_with, program
from tests.contracts.audio import ignore
from tests.contracts.films import BytesSource


class TestCage:
    def test_ffmpeg_gets_limits_and_nothing_of_our_environment(
        self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BIBLIO_API_KEY", "canary")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        spy = program(tmp_path, "export -p > env; ulimit -a > limits; pwd > pwd; exit 1")
        with pytest.raises(Rejected):
            extractor_with(binary=spy, max_cpu=77).extract(BytesSource(b"x"), folder, ignore)
        lines = (folder / "env").read_text().splitlines()
        names = {line.removeprefix("export ").partition("=")[0] for line in lines}
        assert names <= {"PATH", "LC_ALL", "MALLOC_ARENA_MAX", "PWD", "OLDPWD", "SHLVL", "_"}
        assert "77" in (folder / "limits").read_text()
        assert (folder / "pwd").read_text().strip() == str(folder)

    def test_ffmpeg_dies_with_a_worker_that_is_killed(self, tmp_path: Path, folder: Path, binary: str) -> None:
        if sys.platform != "linux":
            return  # only Linux tells a child that its parent died
        worker = subprocess.Popen([sys.executable, "-c", _WORKER, binary, str(folder)], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.readline()
        child = _wait_for_child(worker.pid)
        worker.kill()
        worker.wait()
        psutil.wait_procs([child], timeout=5)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_an_ffmpeg_stopped_from_outside_is_worth_another_try(
        self, films: dict[str, Path], folder: Path, binary: str, number: signal.Signals
    ) -> None:
        def stop(_share: float) -> None:
            for child in psutil.Process().children():
                if "cage.door" not in " ".join(child.cmdline()):
                    os.kill(child.pid, number)

        source = BytesSource(films["mp4"].read_bytes(), piece=4096, pause=0.05)
        with pytest.raises(Unavailable):
            extractor_with(binary=binary).extract(source, folder, stop)

    def test_a_program_that_hangs_is_given_up(self, tmp_path: Path, folder: Path) -> None:
        stuck = program(tmp_path, "kill -STOP $$")
        with pytest.raises(Unavailable) as caught:
            extractor_with(binary=stuck, stall=0.5).extract(BytesSource(b"x"), folder, ignore)
        assert caught.value.code == "EXTRACT_STALLED"
        assert psutil.Process().children(recursive=True) == []


def _wait_for_child(parent: int) -> psutil.Process:
    for _ in range(100):
        for child in psutil.Process(parent).children():
            if "cage.door" not in " ".join(child.cmdline()):
                return child
        time.sleep(0.05)
    raise AssertionError("ffmpeg was not started")


_WORKER = textwrap.dedent(
    """
    import pathlib, sys, time
    from biblio.adapters.audio.ffmpeg import connect
    from biblio.dsn import Dsn

    class Slow:
        size = 1_000_000
        def read(self, start):
            yield b"ID3" + bytes(1000)
            time.sleep(60)

    print("ready", flush=True)
    binary, folder = sys.argv[1:]
    connect(Dsn("ffmpeg", options={"binary": binary})).extract(Slow(), pathlib.Path(folder), lambda share: None)
    """
)
