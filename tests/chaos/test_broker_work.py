"""Wake-up messages, real workers and their processes' deaths, on both brokers."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.acting import Act
from tests.chaos.brokers import Broker, Scene, eventually, new_broker, scene
from tests.chaos.place import Place

ENDED_BADLY = "FAILED"


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with new_broker(request.param, tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
def here(place: Place, broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    with scene(place, broker.address, tmp_path) as here:
        yield here


def test_jobs_are_done_once_each(here: Scene) -> None:
    with here.worker(processes=2) as worker:
        videos = [here.announce(Act(f"{number}")) for number in range(20)]
        here.wait(videos)
        assert len(here.stage.read("ends")) == 20
        assert worker.terminate() < 10, worker.log
        assert worker.process.returncode == 0


def test_a_step_whose_process_dies_is_done_by_another_soon(here: Scene) -> None:
    with here.worker() as worker:
        video = here.announce(Act("dies", seconds=0.5, deaths=1))
        here.wait([video])
        first, second = here.stage.read("begins", "dies")
        assert first["pid"] != second["pid"]
        assert second["at"] - first["at"] < 8
        left = {path.name for path in worker.scratch.glob("*/*")}
        assert str(second["pid"]) in left
        assert str(first["pid"]) not in left
        assert "Traceback" not in worker.log


def test_a_film_that_kills_every_process_fails_and_others_go_on(here: Scene) -> None:
    with here.worker(processes=2) as worker:
        poison = [here.announce(Act(f"poison {number}", deaths=99)) for number in range(2)]
        good = [here.announce(Act(f"good {number}")) for number in range(10)]
        here.wait(good, seconds=30)
        here.wait(poison, ENDED_BADLY)
        for number in range(2):
            assert len(here.stage.read("begins", f"poison {number}")) == 3
        time.sleep(3)
        assert len(here.stage.read("begins")) == 16, "no endless redelivery"
        here.wait([here.announce(Act("later"))], seconds=10)
        assert worker.process.poll() is None


def test_a_killed_workers_files_go_when_the_next_one_starts(here: Scene) -> None:
    with here.worker() as worker:
        video = here.announce(Act("long", seconds=30))
        eventually(lambda: list(worker.scratch.glob("*/*/biblio-*/a.mp3")))
        (left,) = worker.scratch.glob("biblio-worker-*")
        children = worker.children()
        worker.process.kill()
        eventually(lambda: not any(child.is_running() for child in children), 5)
    with here.worker() as next_one:
        assert not left.exists()
        began = time.monotonic()
        eventually(lambda: len(here.stage.read("begins", "long")) == 2, 30)
        print(f"taken up {time.monotonic() - began:.1f} s after the next worker was ready")
        (own,) = next_one.scratch.glob("biblio-worker-*")
        with here.worker():
            assert own.exists(), "a living worker's files stay"
    here.place.forget(video)


class TestStopping:
    def test_work_that_reports_is_given_back_at_once(self, here: Scene) -> None:
        with here.worker(BIBLIO_STOP_SECONDS="10") as worker:
            video = here.announce(Act("long", seconds=60))
            eventually(lambda: here.stage.read("begins"))
            assert worker.terminate() < 8, worker.log
            assert worker.process.returncode == 0
            assert here.state(video) == "READY"
            assert list(worker.scratch.glob("*")) == []
        here.place.forget(video)

    def test_work_that_does_not_let_go_is_given_back_within_the_grace(self, here: Scene) -> None:
        with here.worker(BIBLIO_STOP_SECONDS="3") as worker:
            video = here.announce(Act("stubborn", seconds=60, reports=False))
            eventually(lambda: here.stage.read("begins"))
            assert 3 <= worker.terminate() < 10, worker.log
            assert here.state(video) == "READY"
        here.place.forget(video)

    def test_a_second_signal_ends_at_once(self, here: Scene) -> None:
        with here.worker() as worker:
            video = here.announce(Act("stubborn", seconds=60, reports=False))
            eventually(lambda: here.stage.read("begins"))
            children = worker.children()
            worker.process.terminate()
            time.sleep(1)
            assert worker.terminate() < 2
            eventually(lambda: not any(child.is_running() for child in children), 2)
        here.place.forget(video)

    def test_a_signal_to_all_processes_kills_no_work(self, here: Scene) -> None:
        """As systemd sends it."""
        with here.worker(BIBLIO_STOP_SECONDS="20") as worker:
            video = here.announce(Act("short", seconds=4, reports=False))
            eventually(lambda: here.stage.read("begins"))
            for child in worker.children():
                os.kill(child.pid, signal.SIGTERM)
            worker.terminate()
            assert len(here.stage.read("ends")) == 1, worker.log
        here.place.forget(video)
