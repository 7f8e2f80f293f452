"""What is measured, with its unit, and how it is told apart. Labels never hold what belongs to one user or video."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Measure:
    """`name` as Prometheus has it; `steps`: the upper bounds of a histogram's buckets."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    steps: tuple[float, ...] = ()


_CALL = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WORK = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
_WAIT = (0.0, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

REQUEST_SECONDS = Measure(
    "biblio_request_seconds", Kind.HISTOGRAM, "Requests, until their last byte.", ("method", "route", "status"), _CALL
)
STEP_SECONDS = Measure(
    "biblio_step_seconds",
    Kind.HISTOGRAM,
    "Attempts at a step. Outcome: done, retry, waiting (for quota), stopped (with its worker), failed, lost (canceled, "
    "or its lease gone), broken.",
    ("step", "outcome"),
    _WORK,
)
RETRIES = Measure("biblio_step_retries_total", Kind.COUNTER, "Steps to be tried again, and why.", ("step", "code"))
LEASES_LOST = Measure("biblio_leases_lost_total", Kind.COUNTER, "Steps that became another's, or void.", ("step",))
QUOTA_WAIT_SECONDS = Measure(
    "biblio_quota_wait_seconds",
    Kind.HISTOGRAM,
    "Waits for the quota of a service, in a worker's hands or given back.",
    ("step",),
    _WAIT,
)
BUCKET_WAIT_SECONDS = Measure(
    "biblio_bucket_wait_seconds",
    Kind.HISTOGRAM,
    "What the shared token buckets answered: 0 where there was room, else the wait.",
    ("bucket",),
    _WAIT,
)
PUBLISHED = Measure("biblio_published_total", Kind.COUNTER, "Wake-ups told to the broker, or not.", ("step", "told"))
SWEPT = Measure("biblio_sweep_announced_total", Kind.COUNTER, "Jobs that the sweep had to announce.")
LEADER = Measure("biblio_sweep_leader", Kind.GAUGE, "1 where this worker is the one that sweeps.")
DEATHS = Measure("biblio_process_deaths_total", Kind.COUNTER, "Processes that died at their work.")
DROPPED = Measure("biblio_observations_dropped_total", Kind.COUNTER, "Measurements lost between a worker's processes.")

MEASURES = (
    REQUEST_SECONDS,
    STEP_SECONDS,
    RETRIES,
    LEASES_LOST,
    QUOTA_WAIT_SECONDS,
    BUCKET_WAIT_SECONDS,
    PUBLISHED,
    SWEPT,
    LEADER,
    DEATHS,
    DROPPED,
)
