"""Two of reprocess, cancel and delete at the same instant, for the same video, while workers work: one of them wins,
and nothing is left of the other."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations_with_replacement

import httpx
import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.errors import NotFound
from biblio.pipeline.check import check
from biblio.pipeline.lease import Worker
from biblio.pipeline.sweep import sweep
from tests.chaos.place import Place
from tests.chaos.sending import at_once, body
from tests.pipeline.road import Road, open_road

REPROCESS, CANCEL, DELETE = "reprocess", "cancel", "delete"
PAIRS = list(combinations_with_replacement((REPROCESS, CANCEL, DELETE), 2))
AT_REST, FIRST_RUN, ANOTHER_RUN = MOMENTS = ("at rest", "first run", "another run")
LONGEST_SPAN = 2.0
"""Seconds: a small film's road on a machine at rest takes less."""
WORKERS = 3
PATIENCE = 600.0
POSSIBLE = {
    REPROCESS: {(202, ""), (409, "ALREADY_PROCESSING"), (409, "STEP_NOT_REACHED"), (404, "VIDEO_NOT_FOUND")},
    CANCEL: {(202, ""), (409, "NOTHING_TO_CANCEL"), (404, "VIDEO_NOT_FOUND")},
    DELETE: {(202, ""), (404, "VIDEO_NOT_FOUND")},
}


@dataclass
class Ring:
    """`idle` are complete videos that nobody has claimed for a race."""

    road: Road
    http: httpx.Client
    user: str
    dice: random.Random
    idle: list[Video] = field(default_factory=list)
    span: float = 0.0
    """Seconds that a run takes here, now."""

    def call(self, what: str, video: Video) -> tuple[int, str]:
        """Status and code of the answer."""
        path, step = f"/api/videos/{video.id}", self.dice.choice([None, "extract", "embed", "index"])
        if what == DELETE:
            answer = self.http.delete(path)
        else:
            answer = self.http.post(f"{path}/{what}", json={"step": step} if what == REPROCESS else None)
        return answer.status_code, answer.json().get("code", "")

    def now(self, video: Video) -> Video | None:
        try:
            return self.road.now(video)
        except NotFound:
            return None


@contextmanager
def workers(road: Road) -> Iterator[None]:
    """Some, on all queues, with a sweep beside them, as in real life."""
    over = threading.Event()

    def work(name: str) -> None:
        worker = Worker(name)
        while not over.is_set():
            if not any(road.work(queue, worker) for queue in Queue):
                over.wait(0.02)

    def look() -> None:
        while not over.wait(1.0):
            sweep(road.services)

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(WORKERS)]
    threads.append(threading.Thread(target=look))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def ring(own_place: Place, pytestconfig: pytest.Config) -> Iterator[Ring]:
    given: int | None = pytestconfig.getoption("--race-seed")
    seed = random.SystemRandom().randrange(1_000_000) if given is None else given
    print(f"\n--race-seed {seed}")
    with open_road(own_place.addresses) as road, own_place.api() as url, own_place.http(url) as http, workers(road):
        yield Ring(road, http, own_place.user_id, random.Random(seed))


def settle(ring: Ring) -> None:
    """Until nothing is to be done any more."""
    deadline = time.monotonic() + PATIENCE
    while left := ring.road.open_jobs():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


@dataclass(frozen=True)
class Race:
    """`video` as it was when two calls came at once."""

    pair: tuple[str, str]
    moment: str
    video: Video
    answers: list[tuple[int, str]]

    @property
    def won(self) -> int:
        return self.answers.count((202, ""))

    def __str__(self) -> str:
        return f"{' + '.join(self.pair)}, {self.moment}: {self.won} of 2 accepted"


def race(ring: Ring, pair: tuple[str, str], moment: str) -> Race:
    """At rest, or at a random point of a first run or of another one."""
    video = ring.road.begun(ring.user) if moment == FIRST_RUN else ring.idle.pop()
    if moment == ANOTHER_RUN:
        body(ring.http.post(f"/api/videos/{video.id}/reprocess", json={"step": Step.EXTRACT}), 202)
        video = ring.road.now(video)
    if moment != AT_REST:
        time.sleep(ring.dice.uniform(0, ring.span))
    answers = at_once(*(partial(ring.call, what, video) for what in ring.dice.sample(pair, 2)))
    return Race(pair, moment, video, answers)


def check_race(ring: Ring, race: Race) -> None:
    """When nothing is to be done any more."""
    judge(race.pair, race.answers, race.moment)
    after = ring.now(race.video)
    if DELETE in race.pair:
        assert after is None, race
        gone(ring, race.video)
    else:
        assert after is not None
        begun = min(race.won, 1) if race.pair == (CANCEL, CANCEL) else race.won
        assert after.generation - race.video.generation == begun, (race, "a winner begins a generation")
        whole(ring.road, after)
        ring.idle.append(after)


def judge(pair: tuple[str, str], answers: list[tuple[int, str]], moment: str) -> None:
    won = answers.count((202, ""))
    assert all(any(answer in POSSIBLE[what] for what in pair) for answer in answers), (pair, answers)
    if pair == (DELETE, DELETE) or (pair == (REPROCESS, REPROCESS) and moment == AT_REST):
        assert won == 1, (pair, answers)
    elif DELETE in pair:
        assert won >= 1, (pair, answers)
    elif pair == (REPROCESS, REPROCESS) or (pair == (CANCEL, CANCEL) and moment != FIRST_RUN):
        assert won <= 1, (pair, answers)


def gone(ring: Ring, video: Video) -> None:
    assert ring.http.get(f"/api/videos/{video.id}/status").status_code == 404
    receipt = body(ring.http.get(f"/api/videos/{video.id}/receipt"), 200)
    assert video.key in receipt["objects"]
    assert receipt["rows"]["videos"] == 1
    assert ring.road.objects(video) == set()
    assert ring.road.generations(video) == (set(), set())


def whole(road: Road, video: Video) -> None:
    """Exactly one generation is left, or none."""
    assert video.status in (Status.COMPLETED, Status.CANCELED), video
    left = {video.indexed_generation} - {None}
    assert road.generations(video) == (left, left), video


@pytest.mark.timeout(1800)
def test_one_winner_each_and_nothing_left(ring: Ring, pytestconfig: pytest.Config) -> None:
    left, outcomes = pytestconfig.getoption("--race-pairs"), Counter[str]()
    while left > 0:
        batch = [(pair, moment) for moment in MOMENTS for pair in PAIRS][:left]
        fill(ring, len(batch))
        races = [race(ring, pair, moment) for pair, moment in batch]
        settle(ring)
        for one in races:
            check_race(ring, one)
            outcomes[str(one)] += 1
        left -= len(batch)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:4d} {outcome}")
    assert list(check(ring.road.services)) == []


def fill(ring: Ring, count: int) -> None:
    """So many videos are complete, and it is known how long that takes."""
    ring.idle += [ring.road.begun(ring.user) for _ in range(count - len(ring.idle))]
    began = time.monotonic()
    extra = ring.road.begun(ring.user)
    settle(ring)
    ring.span = min(LONGEST_SPAN, time.monotonic() - began)
    ring.idle = [ring.road.now(video) for video in (*ring.idle, extra)]
