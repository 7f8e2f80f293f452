"""What every limiter promises: one test for each line of `biblio.ports.limiter.Limiter`.

An adapter's test file subclasses `LimiterContract` and `LimiterTurnsContract` (limiter_turns.py), and supplies the
fixture `open_limiter`, which is called in other processes too.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple
from uuid import uuid4

import pytest

from biblio.errors import InvalidInput
from biblio.ports.limiter import Limiter

WORKERS = 4
OpenLimiter = Callable[[], Limiter]


class Taken(NamedTuple):
    """One take and the moments around it, on the clock that all processes of a machine share."""

    asked: float
    answered: float
    amount: float


class LimiterSuite:
    @pytest.fixture(scope="class")
    @classmethod
    def processes(cls) -> Iterator[ProcessPoolExecutor]:
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
            yield pool

    @pytest.fixture
    def limiter(self, open_limiter: OpenLimiter) -> Iterator[Limiter]:
        limiter = open_limiter()
        limiter.prepare()
        yield limiter
        limiter.close()


class LimiterContract(LimiterSuite):
    @pytest.mark.parametrize(
        ("amount", "capacity", "per_second"),
        [(1.0, 1.0, 20.0), (1.0, 10.0, 40.0), (2.5, 7.0, 30.0), (0.3, 0.5, 0.9)],
        ids=["one at a time", "bursts", "large amounts", "less than one a second"],
    )
    def test_no_window_holds_more_than_capacity_plus_rate_times_its_length(
        self,
        open_limiter: OpenLimiter,
        processes: ProcessPoolExecutor,
        amount: float,
        capacity: float,
        per_second: float,
    ) -> None:
        taken = _take_everywhere(processes, open_limiter, (uuid4().hex, amount, capacity, per_second), seconds=3.0)
        for first in taken:
            inside = [take for take in taken if take.asked >= first.asked]
            held = 0.0
            for take in sorted(inside, key=lambda take: take.answered):
                held += take.amount
                # 2 ms for the clocks of server and test drifting apart.
                assert held <= capacity + per_second * (take.answered - first.asked + 0.002)
        # And it is no miser, even on a busy machine.
        assert sum(take.amount for take in taken) >= 0.5 * (capacity + per_second * 3.0) - amount

    def test_an_empty_bucket_says_how_long_to_wait(self, limiter: Limiter) -> None:
        bucket = uuid4().hex
        begin = time.monotonic()
        assert limiter.take(bucket, amount=5, capacity=5, per_second=4) == 0.0
        wait = limiter.take(bucket, amount=2, capacity=5, per_second=4)
        assert 0.5 - (time.monotonic() - begin) - 0.002 <= wait <= 0.5
        time.sleep(wait)
        assert limiter.take(bucket, amount=2, capacity=5, per_second=4) == 0.0
        assert limiter.take(bucket, amount=5, capacity=5, per_second=4) > 0.0

    def test_a_refused_take_takes_nothing(self, limiter: Limiter) -> None:
        bucket = uuid4().hex
        assert limiter.take(bucket, amount=6, capacity=10, per_second=0.001) == 0.0
        for _ in range(5):
            assert limiter.take(bucket, amount=5, capacity=10, per_second=0.001) > 0.0
        assert limiter.take(bucket, amount=4, capacity=10, per_second=0.001) == 0.0

    def test_a_bucket_forgets_nothing_while_it_fills(self, limiter: Limiter) -> None:
        bucket = uuid4().hex
        assert limiter.take(bucket, amount=2, capacity=2, per_second=0.25) == 0.0
        time.sleep(3)
        assert 0.0 < limiter.take(bucket, amount=1, capacity=2, per_second=0.25) <= 1.0

    def test_a_bucket_never_holds_more_than_its_capacity(self, limiter: Limiter) -> None:
        bucket = uuid4().hex
        assert limiter.take(bucket, amount=2, capacity=2, per_second=1) == 0.0
        time.sleep(3)
        assert limiter.take(bucket, amount=2, capacity=2, per_second=1) == 0.0
        assert limiter.take(bucket, amount=1, capacity=2, per_second=1) > 0.0

    def test_two_buckets_do_not_touch_each_other(self, limiter: Limiter) -> None:
        one, other = uuid4().hex, uuid4().hex
        assert limiter.take(one, amount=1, capacity=1, per_second=0.01) == 0.0
        assert limiter.take(other, amount=1, capacity=1, per_second=0.01) == 0.0
        assert limiter.take(one, amount=1, capacity=1, per_second=0.01) > 0.0

    def test_workers_in_other_processes_share_the_bucket(
        self, open_limiter: OpenLimiter, processes: ProcessPoolExecutor
    ) -> None:
        taken = _take_everywhere(processes, open_limiter, (uuid4().hex, 1.0, 50.0, 0.001), seconds=1.0)
        assert sum(take.amount for take in taken) == 50

    def test_an_amount_that_never_fits_is_refused(self, limiter: Limiter) -> None:
        with pytest.raises(InvalidInput) as caught:
            limiter.take(uuid4().hex, amount=5.1, capacity=5, per_second=1)
        assert caught.value.code == "AMOUNT_ABOVE_CAPACITY"

    @pytest.mark.parametrize(
        ("amount", "capacity", "per_second"),
        [(-1, 5, 1), (1, 5, 0), (1, 5, -1), (float("nan"), 5, 1), (1, float("inf"), 1), (1, 5, float("inf"))],
    )
    def test_numbers_without_sense_are_refused(
        self, limiter: Limiter, amount: float, capacity: float, per_second: float
    ) -> None:
        with pytest.raises(InvalidInput):
            limiter.take(uuid4().hex, amount=amount, capacity=capacity, per_second=per_second)


Bucket = tuple[str, float, float, float]


def _take_everywhere(
    processes: ProcessPoolExecutor, open_limiter: OpenLimiter, bucket: Bucket, *, seconds: float
) -> list[Taken]:
    warm_up(processes, open_limiter)
    begin = time.monotonic() + 0.3
    running = [processes.submit(_keep_taking, open_limiter, bucket, begin, seconds) for _ in range(WORKERS)]
    return [take for process in running for take in process.result()]


def warm_up(processes: ProcessPoolExecutor, open_limiter: OpenLimiter) -> None:
    for warm in [processes.submit(_warm_up, open_limiter) for _ in range(WORKERS)]:
        warm.result()


def _warm_up(open_limiter: OpenLimiter) -> None:
    open_limiter().close()
    # Long enough that no process warms up for another.
    time.sleep(0.3)


def _keep_taking(open_limiter: OpenLimiter, bucket: Bucket, begin: float, seconds: float) -> list[Taken]:
    name, amount, capacity, per_second = bucket
    limiter = open_limiter()
    limiter.prepare()
    taken = []
    time.sleep(max(0.0, begin - time.monotonic()))
    while (asked := time.monotonic()) < begin + seconds:
        wait = limiter.take(name, amount=amount, capacity=capacity, per_second=per_second)
        if wait == 0.0:
            taken.append(Taken(asked, time.monotonic(), amount))
        else:
            time.sleep(min(wait, 0.02))
    limiter.close()
    return taken
