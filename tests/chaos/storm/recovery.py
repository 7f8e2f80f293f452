"""How soon work that lost its worker went on."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Fault, Kind

Value = TypeVar("Value", float, tuple[float, str])
OUTAGES = (Kind.POSTGRES, Kind.STORAGE, Kind.BROKER, Kind.DISK)
TURNS = ["PENDING", "COMPLETED", "FAILED", "CANCELED", "DELETING"]
"""Statuses by which a run begins or ends."""
MOST = 60.0
BOUNDS = {50: 15.0, 99: 30.0, 100: MOST}
"""Seconds by percentile (R3)."""


def recoveries(faults: Sequence[Fault], eyes: Eyes) -> Mapping[int, list[float]]:
    """By the fault's number: seconds until the next attempt at each video it struck began, but for those in which an
    engine was away. A run that was over already has none: what is begun later is somebody's wish."""
    next_: dict[str, list[tuple[float, bool]]] = {}
    for video, at, is_attempt in eyes.rows(
        "SELECT video_id::text, extract(epoch FROM at)::float, kind = 'begun' FROM video_events "
        "WHERE kind = 'begun' OR (kind = 'status' AND status = ANY(%s)) ORDER BY at",
        TURNS,
    ):
        next_.setdefault(video, []).append((at, is_attempt))
    away = [(fault.at, fault.until) for fault in faults if fault.kind in OUTAGES]
    return {fault.number: _after(fault, next_, away) for fault in faults}


def _after(
    fault: Fault, next_: Mapping[str, list[tuple[float, bool]]], away: Sequence[tuple[float, float]]
) -> list[float]:
    found = []
    for video_id, _ in fault.victims:
        later, is_attempt = next((one for one in next_.get(video_id, []) if one[0] > fault.at), (0.0, False))
        if is_attempt:
            found.append(later - fault.at - _overlap(fault.at, later, away))
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
