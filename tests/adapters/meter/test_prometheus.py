"""Measurements of one process."""

from functools import partial

import pytest

from biblio.bootstrap import exposition
from biblio.domain.measures import MEASURES
from biblio.ports.gauges import Gauges
from biblio.ports.meter import Exposition
from tests.adapters.meter.reading import counted, numbers
from tests.contracts.meter import Counted, MeterContract

GAUGES = Gauges({"ai": 3}, {"ai": 41.5}, {"ai": 0}, {"ai": 1}, {"ai": 0}, {"ai": 2}, {"FAILED": 7}, is_led=True)


class TestPrometheus(MeterContract):
    @pytest.fixture
    def meter(self) -> Exposition:
        return exposition()

    @pytest.fixture
    def counted(self, meter: Exposition) -> Counted:
        return partial(counted, meter)


def test_the_catalogs_numbers_are_asked_for_when_somebody_reads() -> None:
    meter, answers = exposition(), [None, GAUGES]
    meter.show(lambda: answers.pop(0))
    away, there = (numbers(meter.text().decode()) for _ in range(2))
    assert away["biblio_catalog_up"] == 0
    assert "biblio_sweep_led" not in away
    assert (there["biblio_catalog_up"], there["biblio_sweep_led"]) == (1, 1)
    assert there['biblio_jobs_ready{queue="ai"}'] == 3
    assert there['biblio_jobs_oldest_seconds{queue="ai"}'] == 41.5
    assert there['biblio_videos{status="FAILED"}'] == 7


def test_every_measure_has_a_name_of_ours_and_a_meaning() -> None:
    assert [one.name for one in MEASURES if not one.name.startswith("biblio_") or not one.meaning.endswith(".")] == []
    assert len({one.name for one in MEASURES}) == len(MEASURES)


def test_the_process_itself_is_measured() -> None:
    assert counted(exposition(), "process_resident_memory_bytes") > 1_000_000
