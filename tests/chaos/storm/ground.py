"""Every process of a whole biblio, each of which may be killed at any moment and is started again: engines, API, and
two workers for each queue."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Protocol

import httpx
import psutil

from biblio.domain.flow import Queue
from biblio.local import orphans, postgres, seaweedfs, valkey
from biblio.local.folder import DataFolder
from biblio.local.loopback_ports import LoopbackPorts
from biblio.local.program import Program
from biblio.local.supervisor_files import write_launch
from tests.rabbitmq import RabbitMQ

START_SECONDS = 90.0
SETTINGS = {
    "BIBLIO_REQUEST_RATE": "100000",
    "BIBLIO_MAX_UPLOADS": "100000",
    "BIBLIO_STOP_SECONDS": "8",
}


class Being(Protocol):
    """What may be killed and started again. `start` returns at once, `kill` the ids of the processes that died."""

    name: str

    def start(self) -> None: ...

    def kill(self) -> set[int]: ...

    def is_ready(self) -> bool: ...

    def has_ended(self) -> bool: ...


@dataclass
class Own:
    """A program of ours, with a log of its own. It dies with whoever started it."""

    program: Program
    folder: DataFolder
    prepare: Callable[[], None]
    name: str = field(init=False)
    environment: dict[str, str] = field(default_factory=dict)
    """For its next start alone."""
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.name = self.program.name

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self.prepare()
        command = write_launch(self.folder, self.program)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BIBLIO_")}
        with (self.folder.logs / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**kept, **self.environment}, stdout=log, stderr=log, start_new_session=True
            )
        self.environment = {}

    def kill(self) -> set[int]:
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        return pids

    def terminate(self) -> None:
        assert self._process is not None
        self._process.terminate()

    def pids(self) -> set[int]:
        """It and all below it."""
        if self._process is None or self._process.poll() is not None:
            return set()
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._process.pid)
            return {parent.pid, *(child.pid for child in parent.children(recursive=True))}
        return set()

    def is_ready(self) -> bool:
        return self.program.ready() if self.program.ready else not self.has_ended()

    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None


class Rabbit:
    """RabbitMQ takes seconds to start; nobody else is to wait for it."""

    name = "rabbitmq"

    def __init__(self, folder: Path) -> None:
        self.node = RabbitMQ(folder)
        self._starting: Thread | None = None
        self._is_dead = False

    def start(self) -> None:
        self._is_dead = False
        self._starting = Thread(target=self.node.start, name="rabbitmq")
        self._starting.start()

    def kill(self) -> set[int]:
        if self._starting is not None:
            self._starting.join()
        self.node.kill()
        self._is_dead = True
        return set()

    def is_ready(self) -> bool:
        return self._starting is not None and not self._starting.is_alive() and not self._is_dead

    def has_ended(self) -> bool:
        return self._is_dead


class Ground:
    """`broker`: valkey or rabbitmq. Start and stop it from one thread."""

    def __init__(self, path: Path, broker: str, speech: str) -> None:
        self.folder = DataFolder(path)
        self.folder.create()
        self.clock = path / "clock.so"
        """To be preloaded into a worker whose clock is to jump; where it can be made at all."""
        self.orders, self.temporary, self.calls = path / "orders", path / "tmp", path / "calls"
        self.temporary.mkdir(exist_ok=True)
        ports = LoopbackPorts(self.folder)
        self._engines = [make(self.folder, ports) for make in (seaweedfs.engine, valkey.engine, postgres.engine)]
        self.rabbit = Rabbit(path / "rabbitmq") if broker == "rabbitmq" else None
        self.broker = broker
        self.addresses = self._addresses(speech)
        self.api_port = ports.take("api")
        self.beings: dict[str, Being] = {one.program.name: self._own(one.program, one.prepare) for one in self._engines}
        if self.rabbit is not None:
            self.beings[self.rabbit.name] = self.rabbit
        self._restarts: dict[str, float] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def workers(self) -> list[Own]:
        found = (self.beings[name] for name in self.beings if name.partition("-")[0] in set(Queue))
        return [one for one in found if isinstance(one, Own)]

    def start_engines(self) -> None:
        for being in self.beings.values():
            being.start()
        self.wait_ready()
        for engine in self._engines:
            engine.finish()

    def start_programs(self) -> None:
        names = [f"{queue}-{number}" for number in (1, 2) for queue in Queue]
        started = [self._program("api", ["api", str(self.api_port)], self._is_healthy)]
        started += [self._program(name, ["worker", name.partition("-")[0]]) for name in names]
        for program in started:
            self.beings[program.name] = self._own(program)
            self.beings[program.name].start()
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while waiting := [name for name, being in self.beings.items() if not being.is_ready()]:
            assert time.monotonic() < deadline, f"not ready: {waiting}; see {self.folder.logs}"
            time.sleep(0.1)

    def is_whole(self) -> bool:
        """Whether nothing is dead: each worker has come as far as to have processes, and so has cleared up behind the
        one before."""
        is_dead = any(one.has_ended() for one in self.beings.values())
        return not is_dead and all(len(one.pids()) > 1 for one in self.workers)

    def kill(self, name: str) -> set[int]:
        return self.beings[name].kill()

    def tend(self, pause: Callable[[], float]) -> None:
        """Start again, each after a pause of its own, whatever has ended."""
        now = time.monotonic()
        for name, being in self.beings.items():
            if being.has_ended() and name not in self._restarts:
                self._restarts[name] = now + pause()
        for name in [name for name, due in self._restarts.items() if due <= now]:
            del self._restarts[name]
            self.beings[name].start()

    def stop_programs(self) -> None:
        """As in a deploy: they are told to end, and do."""
        ours = [one for one in self.beings.values() if isinstance(one, Own) and one.name in self._programs()]
        for one in ours:
            if not one.has_ended():
                one.terminate()
        deadline = time.monotonic() + 30
        while not all(one.has_ended() for one in ours) and time.monotonic() < deadline:
            time.sleep(0.1)

    def left_processes(self) -> list[str]:
        """What still runs of API and workers, and whatever they started."""
        engines = {pid for name, one in self.beings.items() if name not in self._programs() for pid in _pids(one)}
        return [
            f"{one.pid} {' '.join(one.cmdline())[:80]}"
            for one in orphans.find(self.folder.path)
            if one.pid not in engines and one.name() not in ("postgres", "weed", "valkey-server", "beam.smp")
        ]

    def stop(self) -> None:
        for being in self.beings.values():
            being.kill()
        if self.rabbit is not None:
            self.rabbit.node.stop()
        orphans.end(self.folder.path, patience=0.2)
        for engine in self._engines:
            engine.clean()

    def _programs(self) -> set[str]:
        return {"api", *(worker.name for worker in self.workers)}

    def _own(self, program: Program, prepare: Callable[[], None] = lambda: None) -> Own:
        return Own(program, self.folder, prepare)

    def _addresses(self, speech: str) -> Mapping[str, str]:
        found = {name: address for engine in self._engines for name, address in engine.addresses.items()}
        if self.rabbit is not None:
            found["BIBLIO_QUEUE"] = self.rabbit.node.address
        return {**found, **SETTINGS, "BIBLIO_SPEECH": speech, "BIBLIO_DATA": str(self.folder.path / "none")}

    def _program(self, name: str, words: list[str], ready: Callable[[], bool] | None = None) -> Program:
        module, word = words
        argv = [sys.executable, "-m", f"tests.chaos.storm.{module}", word, str(self.orders)]
        env = {**self.addresses, "TMPDIR": str(self.temporary)}
        root = Path(__file__).parents[3]
        return Program(name, argv, env, ready=ready, cwd=root, stop_signal="KILL")

    def _is_healthy(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200
        return False


def _pids(being: Being) -> set[int]:
    return being.pids() if isinstance(being, Own) else set()
