"""Measurements of a worker's children, which may be killed at any moment."""

import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from biblio.adapters.meter.datagrams import Collector, DatagramMeter, pair
from biblio.bootstrap import exposition
from biblio.domain.measures import RETRIES
from biblio.ports.meter import Meter
from tests.adapters.meter.reading import counted, numbers
from tests.contracts.meter import Counted, MeterContract

LINE = 'biblio_step_retries_total{code="AWAY",step="extract"}'
DROPPED = "biblio_observations_dropped_total"


class Parent:
    """With its thread that collects."""

    def __init__(self) -> None:
        self.theirs, self.ours = pair()
        self.meter = exposition()
        self._over = threading.Event()
        self._collector = Collector(self.ours, self.meter)
        self._thread = threading.Thread(target=self._collect)

    def begin(self) -> None:
        self._thread.start()

    def _collect(self) -> None:
        while not self._over.is_set():
            self._collector.collect(seconds=0.1)

    def settled(self) -> dict[str, float]:
        """What it knows when nothing more comes."""
        before, now = None, numbers(self.meter.text().decode())
        while before != _ours(now):
            before = _ours(now)
            time.sleep(0.3)
            now = numbers(self.meter.text().decode())
        return now

    def end(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self.theirs.close()
        self.ours.close()


def _ours(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if name.startswith("biblio_")}


@pytest.fixture
def parent() -> Iterator[Parent]:
    parent = Parent()
    yield parent
    parent.end()


class TestDatagrams(MeterContract):
    @pytest.fixture
    def meter(self, parent: Parent) -> Meter:
        parent.begin()
        return DatagramMeter(parent.theirs)

    @pytest.fixture
    def counted(self, parent: Parent) -> Counted:
        def settled(line: str) -> float:
            parent.settled()
            return counted(parent.meter, line)

        return settled


def test_what_finds_no_room_is_dropped_at_once_and_counted_once_there_is_room(parent: Parent) -> None:
    meter, began = DatagramMeter(parent.theirs), time.monotonic()
    for _ in range(20_000):
        meter.observe(RETRIES, step="extract", code="AWAY")
    assert time.monotonic() - began < 5, "nobody collected, and nobody waited"
    parent.begin()
    parent.settled()
    meter.observe(RETRIES, step="extract", code="AWAY")
    found = parent.settled()
    assert found[DROPPED] > 0
    assert found[LINE] + found[DROPPED] == 20_001


def _observe_for_ever(theirs: socket.socket) -> None:
    meter = DatagramMeter(theirs)
    while True:
        meter.observe(RETRIES, step="extract", code="AWAY")


def test_children_that_are_killed_while_they_observe_block_nobody(parent: Parent) -> None:
    fork = multiprocessing.get_context("fork")
    parent.begin()
    for _ in range(20):
        child = fork.Process(target=_observe_for_ever, args=(parent.theirs,))
        child.start()
        assert child.pid is not None
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    before = parent.settled()[LINE]
    DatagramMeter(parent.theirs).observe(RETRIES, step="extract", code="AWAY")
    assert parent.settled()[LINE] == before + 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"\xff",
        b"[" * 3000,
        b"[]",
        b"{}",
        json.dumps(["no_such_measure", 1, {}, 0]).encode(),
        json.dumps([RETRIES.name, "much", {"step": "a", "code": "b"}, 0]).encode(),
        json.dumps([RETRIES.name, -1, {"step": "a", "code": "b"}, 0]).encode(),
        json.dumps([RETRIES.name, 1, {"step": "a"}, 0]).encode(),
        json.dumps([RETRIES.name, 1, [], 0]).encode(),
        json.dumps([RETRIES.name, 1, {"step": "a", "code": "b"}, "many"]).encode(),
        json.dumps([[], 1, {}, 0]).encode(),
    ],
)
def test_a_child_that_says_nonsense_is_not_believed(parent: Parent, nonsense: bytes) -> None:
    parent.theirs.send(nonsense)
    parent.begin()
    DatagramMeter(parent.theirs).observe(RETRIES, step="extract", code="AWAY")
    assert parent.settled()[LINE] == 1
