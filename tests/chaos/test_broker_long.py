"""A step that takes longer than a broker waits for an acknowledgement is done once, and no broker notices.

Both time-outs are scaled down: a step of hours against half an hour, as a step of 15 s against 4 s.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from biblio.dsn import Dsn
from tests.chaos.acting import Act
from tests.chaos.brokers import Broker, RunningWorker, Scene, Valkey, eventually, scene
from tests.chaos.place import Place
from tests.rabbitmq import RabbitMQ

TIMEOUT = 4.0
LONG = Act("long", seconds=16.0)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RabbitMQ]:
    node = RabbitMQ(tmp_path / "rabbitmq", consumer_timeout=TIMEOUT, tick=1)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Broker]:
    broker = Valkey(tmp_path / "valkey")
    broker.start()
    yield broker
    broker.stop()


@contextmanager
def two_workers(here: Scene) -> Iterator[tuple[RunningWorker, RunningWorker]]:
    with here.worker(ack_after=1) as first, here.worker(ack_after=1) as second:
        yield first, second


def unacknowledged(node: RabbitMQ) -> list[str]:
    return node.control("list_queues", "name", "messages_unacknowledged").splitlines()


def test_on_rabbitmq(place: Place, node: RabbitMQ, tmp_path: Path) -> None:
    with scene(place, node.address, tmp_path) as here, two_workers(here) as (first, second):
        video = here.announce(LONG)
        eventually(lambda: here.stage.read("begins"))
        others = [here.announce(Act(f"short {number}")) for number in range(5)]
        here.wait([*others], seconds=10)
        assert here.state(video) == "RUNNING"
        # Who is at long work holds nothing back; what was just done is acknowledged a moment later.
        eventually(lambda: "biblio.media\t0" in unacknowledged(node), 20)
        here.wait([video])
        assert len(here.stage.read("begins", "long")) == 1
        assert "broker is away" not in first.log
        worked = here.stage.read("ends", "long")[0]["pid"]
        idle = second if worked in [child.pid for child in first.children()] else first
        idle.process.kill()
        here.wait([here.announce(Act("afterwards"))], seconds=20)
    assert "timed out" not in node.log
    assert "timeout" not in node.log.lower()


def test_rabbitmq_would_have_closed_the_channel(place: Place, node: RabbitMQ, tmp_path: Path) -> None:
    """What the early acknowledgement is for; even so, the lease lets it run once."""
    with scene(place, node.address, tmp_path) as here, here.worker(ack_after=1000):
        video = here.announce(LONG)
        here.wait([video])
        assert len(here.stage.read("begins", "long")) == 1
        eventually(lambda: "timed out" in node.log, 5)


def test_on_valkey(place: Place, valkey: Broker, tmp_path: Path) -> None:
    address = f"{valkey.address}?visibility_timeout={TIMEOUT:.0f}"
    dsn = Dsn.parse(address)
    with (
        Redis(dsn.host, dsn.port or 6379, password=dsn.password) as server,
        scene(place, address, tmp_path) as here,
        here.worker(ack_after=1),
        here.worker(ack_after=1),
    ):
        video = here.announce(LONG)
        eventually(lambda: here.stage.read("begins"))
        eventually(lambda: server.hlen("unacked") == 0, 5)
        others = [here.announce(Act(f"short {number}")) for number in range(5)]
        here.wait([*others], seconds=10)
        assert here.state(video) == "RUNNING"
        here.wait([video])
        assert len(here.stage.read("begins", "long")) == 1
