"""How soon work that lost its worker went on."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Fault, Kind

Value = TypeVar("Value", float, tuple[float, str])
OUTAGES = (Kind.POSTGRES, Kind.STORAGE, Kind.BROKER, Kind.DISK)
MOST = 60.0
BOUNDS = {50: 15.0, 99: 30.0, 100: MOST}
"""Seconds by percentile (R3)."""


def recoveries(faults: Sequence[Fault], eyes: Eyes) -> Mapping[int, list[float]]:
    """By the fault's number: seconds until the next attempt at each video it struck began, but for those in which an
    engine was away."""
    begun: dict[str, list[float]] = {}
    for video, at in eyes.rows(
        "SELECT video_id::text, extract(epoch FROM at)::float FROM video_events WHERE kind = 'begun' ORDER BY at"
    ):
        begun.setdefault(video, []).append(at)
    away = [(fault.at, fault.until) for fault in faults if fault.kind in OUTAGES]
    return {fault.number: _after(fault, begun, away) for fault in faults}


def _after(fault: Fault, begun: Mapping[str, list[float]], away: Sequence[tuple[float, float]]) -> list[float]:
    found = []
    for video_id, _ in fault.victims:
        later = [at for at in begun.get(video_id, []) if at > fault.at]
        if later:
            found.append(later[0] - fault.at - _overlap(fault.at, later[0], away))
    return found


def _overlap(start: float, end: float, spans: Sequence[tuple[float, float]]) -> float:
    """Seconds of start..end that lie in any of the spans."""
    total, reached = 0.0, start
    for begin, stop in sorted(spans):
        total += max(0.0, min(stop, end) - max(begin, reached))
        reached = max(reached, min(stop, end))
    return total


def percentile(values: Sequence[Value], percent: int) -> Value:
    """The least value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
