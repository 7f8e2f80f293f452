"""A worker's temporary folder goes with it, however early that is told to stop."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from biblio.entrypoints.worker.scratch import Scratch

STARTING = """
from biblio.entrypoints.worker.scratch import Scratch
from biblio.entrypoints.worker.stopping import clear_up_when_stopped
import time
clear_up_when_stopped()
Scratch().enter()
print("starting", flush=True)
time.sleep(60)
"""

ORPHANED = """
import os, signal, time
from biblio.entrypoints.worker.scratch import Scratch
Scratch().enter()
child = os.fork()
if child == 0:
    time.sleep(60)
print(child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_told_to_stop_while_it_starts_leaves_no_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTING]
    with subprocess.Popen(command, env={"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"starting\n"
        assert len(list(tmp_path.glob("biblio-worker-*/*"))) == 1
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_worker_left_goes_when_its_last_child_is_dead_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", ORPHANED]
    with subprocess.Popen(command, env={"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        assert worker.wait(30) == -signal.SIGKILL
        (left,) = tmp_path.iterdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        heir = Scratch()
        assert left.exists(), "its child may be at work"
        os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while left.exists():
        assert time.monotonic() < deadline
        heir.remove_left_behind()
    assert heir.folder.exists()
    heir.remove()
    assert list(tmp_path.iterdir()) == []
