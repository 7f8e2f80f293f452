"""What every meter promises. An adapter's class supplies `meter`, and `counted`, which reads what was observed from the
text that Prometheus gets."""

import time
from collections.abc import Callable
from uuid import uuid4

from biblio.domain.measures import LEADER, RETRIES, STEP_SECONDS
from biblio.ports.meter import Meter

Counted = Callable[[str], float]
"""The number of a line, given by all that stands before it; 0 where there is none."""


class MeterContract:
    def test_what_is_observed_is_counted_by_its_labels(self, meter: Meter, counted: Counted) -> None:
        code = f"CODE_{uuid4().hex}"
        meter.observe(RETRIES, step="extract", code=code)
        meter.observe(RETRIES, 2, step="extract", code=code)
        meter.observe(RETRIES, step="index", code=code)
        meter.observe(STEP_SECONDS, 0.7, step="index", outcome=code)
        meter.observe(LEADER, 1)
        meter.observe(LEADER, 0)
        assert counted(f'biblio_step_retries_total{{code="{code}",step="extract"}}') == 3
        assert counted(f'biblio_step_retries_total{{code="{code}",step="index"}}') == 1
        assert counted(f'biblio_step_seconds_sum{{outcome="{code}",step="index"}}') == 0.7
        assert counted(f'biblio_step_seconds_bucket{{le="0.5",outcome="{code}",step="index"}}') == 0
        assert counted(f'biblio_step_seconds_bucket{{le="1.0",outcome="{code}",step="index"}}') == 1
        assert counted("biblio_sweep_leader") == 0

    def test_observing_never_waits_and_never_fails(self, meter: Meter) -> None:
        began = time.monotonic()
        for _ in range(50_000):
            meter.observe(RETRIES, step="extract", code="AWAY")
        assert time.monotonic() - began < 20
