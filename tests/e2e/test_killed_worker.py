"""A worker that dies in the middle loses nothing: its lease ends, and another takes the step up."""

import time
from pathlib import Path

import psutil
import pytest

from biblio.local.sample import TALK
from tests.conftest import Server

PATIENCE = 120.0


def children_of(server: Server, queue: str) -> list[psutil.Process]:
    """The worker group's processes that do the work."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "worker" in words and queue in words and _is_ours(process, server.folder.path):
            found.append(process)
    return [process for process in found if any(process.ppid() == parent.pid for parent in found)]


def _is_ours(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("BIBLIO_FOLDER") == str(folder)
    except psutil.Error:
        return False


@pytest.mark.timeout(180)
def test_a_step_is_taken_up_after_kill_9(server: Server) -> None:
    with server.client() as client:
        video_id = client.upload(TALK)["video_id"]
        deadline = time.monotonic() + PATIENCE
        while client.status(video_id)["status"] != "TRANSCRIBING":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        workers = children_of(server, "ai")
        assert workers
        for process in workers:
            process.kill()
        ended = client.wait(video_id, lambda _status: None)
        assert ended["status"] == "COMPLETED"
        lines = client.transcript(video_id, format="txt").splitlines()
    assert len(lines) == len(set(lines)), "nothing stands twice"
    assert "People forget what they hear." in lines
