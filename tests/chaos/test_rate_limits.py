"""Quotas of a paid service, whatever its callers do: kept, used, shared out, and survived."""

import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.rate_limit import RateLimit
from biblio.domain.video import Video
from biblio.pipeline.lease import Worker
from tests.chaos.brokers import Valkey, eventually
from tests.chaos.toll_speech import TollSpeech
from tests.contracts.catalog_suite import made_up
from tests.emulators.toll import Refusals, Toll
from tests.pipeline.road import Road, open_road

REFILL, SPARE, JITTER = 0.98, 0.01, 0.5
"""Decision 21: of what is allowed a minute; and seconds that a call may take from its admission to the service."""


@pytest.fixture
def toll() -> Iterator[Toll]:
    with Toll().running() as toll:
        yield toll


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    return float(request.config.getoption("--rate-seconds"))


@pytest.fixture(scope="module")
def road(own_addresses: Mapping[str, str]) -> Iterator[Road]:
    with open_road(own_addresses) as road:
        yield road


@pytest.fixture(scope="module")
def extracted(road: Road) -> dict[str, Any]:
    """What the step before left of one talk: all of them are heard from it."""
    video = road.at(Status.TRANSCRIBING, road.new_user())
    road.void()
    with road.services.catalog.transaction() as tx:
        return tx.jobs.results(video, video.generation)[Step.EXTRACT]


@contextmanager
def calling(task: Mapping[str, Any]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.chaos.toll_worker", json.dumps(task)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def require_kept(times: Sequence[float], calls: float) -> None:
    """No window, of whatever length, holds more than was promised; and so no minute more than is allowed."""
    burst, per_second = 1 + SPARE * calls, REFILL * calls / 60
    assert burst + per_second * (60 + JITTER) < calls + 1
    for first, begin in enumerate(times):
        for count, end in enumerate(times[first:], 1):
            assert count <= burst + per_second * (end - begin + JITTER)
            assert count <= calls or end - begin >= 60


def test_fifty_workers_keep_to_the_rate_use_it_and_share_it(
    toll: Toll, addresses: Mapping[str, str], seconds: float
) -> None:
    calls = 1500
    task = {"limiter": addresses["BIBLIO_LIMITER"], "toll": toll.port, "name": f"toll:{uuid4().hex}", "calls": calls}
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(calling({**task, "users": ["kim"] * 8 + ["lee"] * 2}))
        eventually(lambda: len(toll.arrivals) > 50, 60)
        begin = len(toll.arrivals)
        time.sleep(seconds)
        arrivals = toll.arrivals[begin:]
    require_kept([one.at for one in toll.arrivals], calls)
    assert (len(arrivals) - 1) / (arrivals[-1].at - arrivals[0].at) >= 0.95 * calls / 60
    shares = Counter(one.who for one in arrivals)
    assert min(shares.values()) * 2 >= max(shares.values()) * 0.8, shares


def test_workers_that_are_killed_and_a_limiter_that_is_restarted_change_nothing(
    toll: Toll, tmp_path: Path, seconds: float
) -> None:
    calls, dice = 600, random.Random(7)
    server = Valkey(tmp_path / "valkey")
    server.start()
    task = {"limiter": server.address, "toll": toll.port, "name": f"toll:{uuid4().hex}", "calls": calls}
    with ExitStack() as stack:
        stack.callback(server.stop)
        workers = [stack.enter_context(calling({**task, "users": [f"user {n % 3}"]})) for n in range(8)]
        eventually(lambda: len(toll.arrivals) > 20, 60)
        begin, away, until = len(toll.arrivals), 0.0, time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(2.0)
            victim = dice.randrange(len(workers))
            workers[victim].kill()
            workers[victim] = stack.enter_context(calling({**task, "users": [f"user {victim % 3}"]}))
            if not away and time.monotonic() > until - seconds / 2:
                since = time.monotonic()
                server.kill()
                server.start()
                away = time.monotonic() - since + 0.6  # who met nobody asks again a little later
        arrivals = toll.arrivals[begin:]
    require_kept([one.at for one in toll.arrivals], calls)
    assert away, "the server was killed"
    assert (len(arrivals) - 1) / (arrivals[-1].at - arrivals[0].at - away) >= 0.95 * calls / 60


def test_videos_complete_whatever_is_refused_and_no_piece_is_paid_for_twice(
    toll: Toll, road: Road, extracted: dict[str, Any]
) -> None:
    toll.refusals, toll.seconds = Refusals(0.25, dice=random.Random(11)), 0.05
    limit = RateLimit(f"toll:{uuid4().hex}", calls=3000, at_once=6)
    speech: Any = TollSpeech(toll.port, limit, longest=10, parallel=3)
    paying = replace(road, services=replace(road.services, speech=speech))
    videos = to_be_heard(road, road.new_user(), 8, extracted)
    with working(paying, 4, [Queue.AI, Queue.INDEX]):
        eventually(lambda: all(road.now(video).status is Status.COMPLETED for video in videos), 90)
    assert Counter(one.status for one in toll.arrivals)[429] >= 5
    pieces = Counter(one.what for one in toll.arrivals if one.status == 200)
    assert len(pieces) >= 4
    assert set(pieces.values()) == {len(videos)}, "every piece of every video once"
    for video in videos:
        assert {tries for _, _, tries, _ in road.jobs(video)} <= {0, 1}, "a refusal is no try"
        assert "retry" not in {event.kind for event in road.events(video)}


def test_a_thousand_videos_of_one_do_not_delay_the_video_of_another(
    toll: Toll, road: Road, extracted: dict[str, Any]
) -> None:
    calls, toll.seconds = 60, 0.2
    service_time = 60 / (REFILL * calls) + toll.seconds
    speech: Any = TollSpeech(toll.port, RateLimit(f"toll:{uuid4().hex}", calls=calls))
    paying = replace(road, services=replace(road.services, speech=speech))
    alone, late = road.new_user(), road.new_user()
    with working(paying, 4, [Queue.AI]):
        undisturbed = [heard_within(road, to_be_heard(road, alone, 1, extracted)[0]) for _ in range(3)]
        to_be_heard(road, road.new_user(), 1000, extracted)
        begin = len(toll.arrivals)
        eventually(lambda: len(toll.arrivals) >= begin + 4, 30)  # all workers have some of it in hand
        disturbed = [heard_within(road, to_be_heard(road, late, 1, extracted)[0]) for _ in range(3)]
        road.void()
    print(f"undisturbed {undisturbed}, disturbed {disturbed}, a service time {service_time:.2f} s")
    assert statistics.median(disturbed) <= statistics.median(undisturbed) + 2 * service_time


def to_be_heard(road: Road, user: str, count: int, extracted: dict[str, Any]) -> list[Video]:
    """Videos that wait to be transcribed, all since the same moment or nearly so."""
    videos = [made_up(user) for _ in range(count)]
    with road.services.catalog.transaction() as tx:
        for video in videos:
            tx.videos.add(video)
            tx.jobs.request(video, Step.TRANSCRIBE, results={Step.EXTRACT: extracted})
    return videos


def heard_within(road: Road, video: Video) -> float:
    """Seconds until its words are there."""
    begin = time.monotonic()
    eventually(lambda: road.now(video).status not in (Status.PENDING, Status.TRANSCRIBING), 60)
    return time.monotonic() - begin


@contextmanager
def working(road: Road, count: int, queues: Sequence[Queue]) -> Iterator[None]:
    """So many workers, each with one video in hand, until the block ends."""
    over = threading.Event()

    def work(number: int) -> None:
        worker = Worker(f"worker {number}", is_stopping=over.is_set)
        while not over.is_set():
            if not any(road.work(queue, worker) for queue in queues):
                over.wait(0.05)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
