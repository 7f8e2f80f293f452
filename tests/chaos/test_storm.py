"""Small storms on both brokers; `make chaos` lets the whole one blow (docs/chaos.md)."""

import random

import pytest

from tests.chaos.storm.faults import SHARES, deck
from tests.chaos.storm.points import PUBLISHING, WORKING
from tests.chaos.storm.recovery import MOST
from tests.chaos.storm.whole import run


@pytest.mark.timeout(900)
@pytest.mark.parametrize("broker", ["valkey", "rabbitmq"])
def test_nothing_is_lost_or_done_twice_in_a_storm(broker: str, request: pytest.FixtureRequest) -> None:
    runs = request.config.getoption("--storm-runs")
    given = request.config.getoption("--storm-seed")
    seed = given if given is not None else random.SystemRandom().randrange(1_000_000)
    outcome = run(broker, runs, seed, pace=1.5, seconds=600, say=lambda line: print(line, flush=True))
    findings = "\n".join(map(str, outcome.findings))
    assert outcome.is_clean, f"seed {seed}, logs in {outcome.folder}\n{findings}"
    assert len(outcome.weather.faults) == runs, f"seed {seed}: not all struck; nobody came to {outcome.weather.missed}"
    seconds = [value for one in outcome.recovered.values() for value in one]
    assert max(seconds, default=0.0) <= MOST, f"seed {seed}"


def test_there_are_at_least_25_points_in_the_work_and_at_a_publish_each() -> None:
    assert len(set(WORKING)) == len(WORKING) >= 25
    assert len(set(PUBLISHING)) == len(PUBLISHING) >= 25


def test_the_same_seed_gives_the_same_faults() -> None:
    first, again = (deck(100, random.Random("7/valkey")) for _ in range(2))
    assert first == again
    assert {kind: sum(fault.kind is kind for fault in first) for kind in SHARES} == SHARES


@pytest.mark.parametrize("runs", [1, 13, 25, 200])
def test_a_storm_has_as_many_faults_as_were_asked_for(runs: int) -> None:
    assert len(deck(runs, random.Random(1))) == runs
