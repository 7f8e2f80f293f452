"""What every limiter promises of turns at a paid service: see `biblio.ports.limiter.Limiter`."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from biblio.domain.rate_limit import PaidCall, RateLimit
from biblio.errors import InvalidInput
from biblio.ports.limiter import ASK_EVERY, Limiter
from tests.contracts.limiter import WORKERS, LimiterSuite, OpenLimiter, warm_up

PATIENCE = 1000.0
IN_TIME = 0.1
"""Seconds in which all ask once. Who asks a quarter of a second after its turn is passed by."""


class Made(NamedTuple):
    """One call and the moments around its admission, on the clock that all processes of a machine share."""

    asked: float
    admitted: float


def limit_of(**bounds: float | int) -> RateLimit:
    return RateLimit(f"speech:{uuid4().hex}", **bounds)  # type: ignore[arg-type]


def call_of(limit: RateLimit, user: str = "kim", units: float = 0.0) -> PaidCall:
    return PaidCall(limit, uuid4().hex, user, units)


def made(limiter: Limiter, call: PaidCall, *, within: float = 10.0) -> PaidCall:
    """The call, once it may be made."""
    deadline = time.monotonic() + within
    while wait := limiter.admit(call, patience=PATIENCE):
        assert time.monotonic() < deadline
        time.sleep(min(wait, ASK_EVERY))
    return call


class Disturbed(Exception):
    """The machine gave this process no time: calls were late to ask, and whoever is late is passed by."""


def made_in_turn(limiter: Limiter, calls: Sequence[PaidCall], count: int) -> list[PaidCall]:
    """The first so many, where all are in the line, and then ask all the time, in any order. Raises `Disturbed`."""
    limiter.refuse(calls[0].limit, 0.5)
    left, first = list(calls), list[PaidCall]()
    for call in left:
        assert limiter.admit(call, patience=PATIENCE) > 0.0
    while len(first) < count:
        began = time.monotonic()
        random.shuffle(left)
        for call in left:
            if limiter.admit(call, patience=PATIENCE) == 0.0:
                first.append(call)
                limiter.leave(call, well=True)
        left = [call for call in left if call not in first]
        if time.monotonic() - began > IN_TIME:
            raise Disturbed
    for call in left:
        limiter.leave(call, well=False)
    return first[:count]


def undisturbed(test: Callable[[Any, Limiter], None]) -> Callable[[Any, Limiter], None]:
    """Once more, with another limit, for as long as the machine is too busy for it."""

    @wraps(test)
    def again(suite: Any, limiter: Limiter) -> None:
        for _ in range(20):
            with suppress(Disturbed):
                return test(suite, limiter)
        raise AssertionError("the machine never had time for it")

    return again


class LimiterTurnsContract(LimiterSuite):
    def test_no_window_holds_more_calls_than_the_limit_allows_and_what_is_allowed_is_used(
        self, open_limiter: OpenLimiter, processes: ProcessPoolExecutor
    ) -> None:
        limit, seconds = limit_of(calls=2400), 4.0
        calls = _call_everywhere(processes, open_limiter, limit, seconds)
        per_second, burst = 0.98 * 2400 / 60, 1 + 0.01 * 2400
        assert burst + per_second * 60 <= 2400 + 1, "so is a minute's number kept"
        for first in calls:
            inside = sorted(call.admitted for call in calls if call.asked >= first.asked)
            for count, admitted in enumerate(inside, 1):
                # 2 ms for the clocks of server and test drifting apart.
                assert count <= burst + per_second * (admitted - first.asked + 0.002)
        assert len(calls) >= 0.95 * 40 * seconds - 1

    def test_no_minute_holds_more_units_than_the_limit_allows(self, limiter: Limiter) -> None:
        limit = limit_of(units=600)
        made(limiter, call_of(limit, units=350))
        assert 60 <= limiter.admit(call_of(limit, units=251), patience=0) <= 62, "351 + 250 is what a minute has"
        limit = limit_of(units=60_000)
        begin = time.monotonic()
        sent = 0.0
        while (now := time.monotonic()) < begin + 2:
            made(limiter, call_of(limit, units=50))
            sent += 50
            assert sent <= 600 + 50 + 980 * (time.monotonic() - begin + 0.002)
        assert sent >= 0.9 * 1000 * (now - begin)

    def test_a_call_of_more_units_than_a_minute_has_goes_alone(self, limiter: Limiter) -> None:
        limit = limit_of(units=60)
        made(limiter, call_of(limit, units=100))
        assert limiter.admit(call_of(limit, units=1), patience=0) >= 60
        limit = limit_of(units=60)
        made(limiter, call_of(limit, units=5))
        assert limiter.admit(call_of(limit, units=100), patience=0) >= 60

    def test_no_more_calls_are_under_way_than_may_be_at_once(self, limiter: Limiter) -> None:
        limit = limit_of(at_once=3)
        calls = [call_of(limit) for _ in range(5)]
        assert [limiter.admit(call, patience=PATIENCE) == 0.0 for call in calls] == [True] * 3 + [False] * 2
        limiter.leave(calls[1], well=False)
        assert limiter.admit(calls[4], patience=PATIENCE) > 0.0, "it came later than the fourth"
        assert [limiter.admit(call, patience=PATIENCE) == 0.0 for call in calls[3:]] == [True, False]

    def test_the_place_of_a_caller_that_died_comes_back_and_one_that_is_kept_does_not(self, limiter: Limiter) -> None:
        limit = limit_of(at_once=2)
        dead, slow, late = call_of(limit), call_of(limit), call_of(limit)
        for call in (dead, slow):
            assert limiter.admit(call, patience=PATIENCE, seconds=0.5) == 0.0
        limiter.keep(slow, seconds=30)
        assert limiter.admit(late, patience=PATIENCE) > 0.0
        time.sleep(0.6)
        assert limiter.admit(late, patience=PATIENCE) == 0.0
        assert limiter.admit(call_of(limit), patience=PATIENCE) > 0.0

    def test_a_call_that_asks_again_takes_nothing_more(self, limiter: Limiter) -> None:
        limit = limit_of(calls=60, at_once=5)
        call = made(limiter, call_of(limit))
        assert [limiter.admit(call, patience=0) for _ in range(5)] == [0.0] * 5
        assert limiter.admit(call_of(limit), patience=0) <= 60 / (0.98 * 60)

    @undisturbed
    def test_users_take_turns_at_a_service_however_much_one_of_them_asks_for(self, limiter: Limiter) -> None:
        limit = limit_of(calls=120)  # of which at most two are saved up
        many = [call_of(limit, "kim") for _ in range(16)]
        first = made_in_turn(limiter, many, 3)
        assert set(first) <= set(many[:4]), "one user's calls in their order"
        one = call_of(limit, "lee")
        assert one in made_in_turn(limiter, [*(call for call in many if call not in first), one], 2)

    @undisturbed
    def test_users_who_ask_for_much_get_equal_shares(self, limiter: Limiter) -> None:
        limit = limit_of(calls=900)
        made_in_turn(limiter, [call_of(limit, "kim") for _ in range(5)], 5)
        both = [call_of(limit, user) for user in ("kim", "lee") for _ in range(8)]
        shares = Counter(call.user_id for call in made_in_turn(limiter, both, 10))
        assert abs(shares["kim"] - shares["lee"]) <= 2, "who was away has saved up nothing, and lost nothing"

    @undisturbed
    def test_turns_are_weighed_by_units(self, limiter: Limiter) -> None:
        limit = limit_of(units=24_000)
        calls = [call_of(limit, user, units) for user, units in (("kim", 100), ("lee", 20)) for _ in range(12)]
        shares = Counter(call.user_id for call in made_in_turn(limiter, calls, 11))
        assert 8 <= shares["lee"] <= 10, "five small calls for a large one"

    def test_who_is_not_heard_of_any_more_is_passed_by(self, limiter: Limiter) -> None:
        limit = limit_of(calls=60)
        made(limiter, call_of(limit))
        assert limiter.admit(call_of(limit), patience=PATIENCE) > 0.0, "and then it died"
        second = call_of(limit)
        begin = time.monotonic()
        assert limiter.admit(second, patience=PATIENCE) > 1.0, "first it is behind the dead one"
        made(limiter, second)
        assert time.monotonic() - begin < 1.9

    def test_who_leaves_the_line_is_waited_for_no_more(self, limiter: Limiter) -> None:
        limit = limit_of(calls=6)
        first, second = call_of(limit), call_of(limit)
        near, far = (limiter.admit(call, patience=PATIENCE) for call in (first, second))
        assert near < far
        limiter.leave(first, well=False)
        assert limiter.admit(second, patience=PATIENCE) < near + 1

    def test_a_turn_that_is_far_off_is_told_and_takes_no_place_in_the_line(self, limiter: Limiter) -> None:
        limit = limit_of(calls=6)
        told = [limiter.admit(call_of(limit), patience=1) for _ in range(10)]
        steps = [later - sooner for sooner, later in zip(told, told[1:], strict=False)]
        assert all(9.0 <= step <= 10.5 for step in steps), "each at its turn, not all at once"
        assert limiter.admit(call_of(limit, "lee"), patience=1) <= 60 / (0.98 * 6), "another's turn is sooner"
        assert limiter.admit(call_of(limit, "park"), patience=PATIENCE) <= 60 / (0.98 * 6)

    def test_a_refusal_closes_the_limit_for_everybody(self, limiter: Limiter, open_limiter: OpenLimiter) -> None:
        limit, other = limit_of(), open_limiter()
        refused = made(limiter, call_of(limit))
        assert 0.9 <= limiter.refuse(limit, 1.0) <= 1.0
        limiter.leave(refused, well=False)
        assert 0.5 <= limiter.refuse(limit, 0.1) <= 1.0, "it does not open sooner"
        late = call_of(limit)
        assert 0.4 <= other.admit(late, patience=PATIENCE) <= 1.1
        made(other, late, within=3)
        other.close()

    def test_refusals_without_a_time_close_it_for_longer_and_longer(self, limiter: Limiter) -> None:
        limit = limit_of()
        first = limiter.refuse(limit, None)
        assert 0.375 <= first <= 0.625
        assert limiter.refuse(limit, None) <= first, "a call that was under way says nothing new"
        made(limiter, call_of(limit))
        second = limiter.refuse(limit, None)
        assert 0.75 <= second <= 1.25
        limiter.leave(made(limiter, call_of(limit)), well=True)
        assert 0.375 <= limiter.refuse(limit, None) <= 0.625, "the service took a call"

    def test_a_limit_of_which_nothing_is_known_begins_empty(self, limiter: Limiter) -> None:
        """Its server may just have lost what was spent."""
        assert 0.9 <= limiter.admit(call_of(limit_of(calls=60)), patience=0) <= 60 / (0.98 * 60)

    def test_two_limits_do_not_touch_each_other(self, limiter: Limiter) -> None:
        one, other = limit_of(at_once=1), limit_of(at_once=1)
        limiter.refuse(limit_of(), 60.0)
        assert [limiter.admit(call_of(limit), patience=PATIENCE) for limit in (one, other)] == [0.0, 0.0]
        assert limiter.admit(call_of(one), patience=PATIENCE) > 0.0

    @pytest.mark.parametrize("bounds", [{"calls": 0}, {"calls": float("nan")}, {"units": -1}, {"at_once": 0}])
    def test_bounds_without_sense_are_refused(self, limiter: Limiter, bounds: dict[str, float]) -> None:
        with pytest.raises(InvalidInput):
            limiter.admit(call_of(limit_of(**bounds)), patience=0)

    def test_units_without_sense_are_refused(self, limiter: Limiter) -> None:
        for units in (-1, float("nan"), float("inf")):
            with pytest.raises(InvalidInput):
                limiter.admit(call_of(limit_of(units=60), units=units), patience=0)


def _call_everywhere(
    processes: ProcessPoolExecutor, open_limiter: OpenLimiter, limit: RateLimit, seconds: float
) -> list[Made]:
    warm_up(processes, open_limiter)
    begin = time.monotonic() + 0.3
    running = [processes.submit(_keep_calling, open_limiter, limit, begin, seconds) for _ in range(WORKERS)]
    return [call for process in running for call in process.result()]


def _keep_calling(open_limiter: OpenLimiter, limit: RateLimit, begin: float, seconds: float) -> list[Made]:
    limiter = open_limiter()
    limiter.prepare()
    calls = []
    time.sleep(max(0.0, begin - time.monotonic()))
    while time.monotonic() < begin + seconds:
        call = call_of(limit)
        asked = time.monotonic()
        while wait := limiter.admit(call, patience=PATIENCE):
            time.sleep(min(wait, ASK_EVERY))
            asked = time.monotonic()
        calls.append(Made(asked, time.monotonic()))
        limiter.leave(call, well=True)
    limiter.close()
    return calls
