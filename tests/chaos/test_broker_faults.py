"""Lines that break between a worker and its broker, and brokers that die or forget: work goes on by itself, soon."""

import asyncio
import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from biblio.dsn import Dsn
from tests.chaos.acting import Act
from tests.chaos.brokers import Broker, Scene, empty, eventually, new_broker, scene, through
from tests.chaos.fault_proxy import FaultProxy, Link
from tests.chaos.place import Place
from tests.rabbitmq import MATURITY

SOON = 15.0
"""Seconds after the line is whole, or the broker back, within which work has begun again."""
BLACK_HOLE = 10.0

born: contextvars.ContextVar[float] = contextvars.ContextVar("born")


class Line(FaultProxy):
    """One that can also fall silent for good: half-open connections, beside which new ones work."""

    def __init__(self, broker: Broker) -> None:
        dsn = Dsn.parse(broker.address)
        super().__init__(f"tcp://{dsn.host}:{dsn.port}")
        self._silent_before = 0.0

    def silence(self) -> None:
        self._silent_before = time.monotonic()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        born.set(time.monotonic())
        await super()._serve(reader, writer)

    async def _slow_down(self) -> None:
        await super()._slow_down()
        while born.get() < self._silent_before:
            await asyncio.sleep(1)


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with new_broker(request.param, tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def trials(request: pytest.FixtureRequest) -> range:
    return range(request.config.getoption("--broker-trials"))


@pytest.fixture
def here(place: Place, broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    with scene(place, broker.address, tmp_path) as here:
        yield here


@contextmanager
def worker_behind(line: Line, here: Scene, broker: Broker) -> Iterator[None]:
    with here.worker(BIBLIO_QUEUE=through(broker.address, line.port)) as worker:
        here.wait([here.announce(Act("before"))])
        yield
        assert worker.process.poll() is None
        assert "broke and goes on" not in worker.log


def seconds_until_done(here: Scene, name: str, *, since: float) -> float:
    """Of an act that is announced now, until it begins."""
    here.announce(Act(name))
    eventually(lambda: here.stage.read("begins", name), SOON + 10)
    seconds = here.stage.read("begins", name)[0]["at"] - since
    print(f"{name}: {seconds:.1f} s")
    return float(seconds)


def test_a_black_hole_of_ten_seconds(here: Scene, broker: Broker, trials: range) -> None:
    with Line(broker) as line, worker_behind(line, here, broker):
        for trial in trials:
            line.hold(BLACK_HOLE)
            time.sleep(BLACK_HOLE)
            assert seconds_until_done(here, f"black hole {trial}", since=time.time()) < SOON


def test_half_open_connections(here: Scene, broker: Broker, trials: range) -> None:
    with Line(broker) as line, worker_behind(line, here, broker):
        for trial in trials:
            line.silence()
            assert seconds_until_done(here, f"half-open {trial}", since=time.time()) < SOON


def test_resets(here: Scene, broker: Broker, trials: range) -> None:
    with Line(broker) as line, worker_behind(line, here, broker):
        for trial in trials:
            until = time.monotonic() + 3
            line.refuse(3)
            while time.monotonic() < until:
                line.at_byte(1, Link.reset)
                time.sleep(0.05)
            line.disarm()
            assert seconds_until_done(here, f"resets {trial}", since=time.time()) < SOON


def test_a_worker_stops_in_time_though_its_broker_is_silent(here: Scene, broker: Broker) -> None:
    with Line(broker) as line:
        address = through(broker.address, line.port)
        with here.worker(BIBLIO_QUEUE=address, BIBLIO_STOP_SECONDS="3") as worker:
            video = here.announce(Act("stubborn", seconds=60, reports=False))
            eventually(lambda: here.stage.read("begins"))
            line.hold(60)
            assert worker.terminate() < 12
            assert here.state(video) == "READY"
        line.hold(0)
    here.place.forget(video)


def test_a_broker_killed_and_restarted(here: Scene, broker: Broker, trials: range) -> None:
    with here.worker() as worker:
        here.wait([here.announce(Act("before"))])
        time.sleep(MATURITY)
        for trial in trials:
            long = here.announce(Act(f"long {trial}", seconds=6))
            eventually(lambda: here.stage.read("begins", f"long {trial}"))  # noqa: B023
            waiting = [here.announce(Act(f"waiting {trial} {number}")) for number in range(3)]
            broker.kill()
            during = here.announce(Act(f"during {trial}"))
            broker.start()
            back = time.time()
            here.wait([long, during, *waiting])
            print(f"killed {trial}: {here.stage.read('ends')[-1]['at'] - back:.1f} s until all was done")
            assert seconds_until_done(here, f"killed {trial}", since=back) < SOON + 6
            assert len(here.stage.read("begins", f"long {trial}")) == 1
        assert worker.process.poll() is None


def test_a_broker_that_forgets_who_listens(here: Scene, broker: Broker) -> None:
    with here.worker() as worker:
        here.wait([here.announce(Act("before"))])
        order = here.folder / "deaf"
        for times in (1, 2):  # the second line is not the one that Celery's loop was made for
            order.touch()
            eventually(lambda: not order.exists(), 10)
            assert seconds_until_done(here, f"after {times}", since=time.time()) < SOON
            assert worker.log.count("the worker listens anew") == times


def test_a_broker_that_was_emptied(here: Scene, broker: Broker, trials: range) -> None:
    with here.worker() as worker:
        here.wait([here.announce(Act("before"))])
        for trial in trials:
            long = here.announce(Act(f"long {trial}", seconds=3))
            eventually(lambda: here.stage.read("begins", f"long {trial}"))  # noqa: B023
            waiting = [here.announce(Act(f"waiting {trial} {number}")) for number in range(5)]
            empty(broker)
            emptied = time.time()
            here.wait([long, *waiting], seconds=20)
            print(f"emptied {trial}: {here.stage.read('ends')[-1]['at'] - emptied:.1f} s until all was done")
            empty(broker)
            assert seconds_until_done(here, f"emptied {trial}", since=time.time()) < SOON
        assert worker.process.poll() is None
