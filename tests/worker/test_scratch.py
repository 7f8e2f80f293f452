"""A worker's temporary folder goes with it, however early that is told to stop."""

import signal
import subprocess
import sys
from pathlib import Path

STARTING = """
from biblio.entrypoints.worker.scratch import Scratch
from biblio.entrypoints.worker.stopping import clear_up_when_stopped
import time
clear_up_when_stopped()
Scratch().enter()
print("starting", flush=True)
time.sleep(60)
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
