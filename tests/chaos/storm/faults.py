"""What a storm does to a biblio, how often, and which promise stands against it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.chaos.storm.points import PUBLISHING, WORKING, Fired


class Kind(StrEnum):
    GROUP_AT_POINT = "worker killed at a named point"
    GROUP = "worker killed at any time"
    CHILD_AT_POINT = "child process killed at a named point"
    CHILD = "child process killed at any time"
    STILL = "child process stands still for 13 s"
    PUBLISH = "killed around a commit and its message"
    BROKER = "broker killed"
    EMPTY = "broker emptied"
    POSTGRES = "PostgreSQL killed"
    STORAGE = "SeaweedFS killed"
    DISK = "temporary disk full for 6 s"
    CLOCK = "worker's clock jumps by an hour"
    DEPLOY = "all workers told to stop, in turns"


SHARES = {
    Kind.GROUP_AT_POINT: 20,
    Kind.GROUP: 5,
    Kind.CHILD_AT_POINT: 7,
    Kind.CHILD: 3,
    Kind.STILL: 10,
    Kind.PUBLISH: 25,
    Kind.BROKER: 10,
    Kind.EMPTY: 5,
    Kind.POSTGRES: 3,
    Kind.STORAGE: 3,
    Kind.DISK: 3,
    Kind.CLOCK: 3,
    Kind.DEPLOY: 3,
}
"""Of 100 faults. Two storms of 100, one for each broker, make the gate."""
PROMISES = {
    Kind.GROUP_AT_POINT: "R1",
    Kind.GROUP: "R1",
    Kind.CHILD_AT_POINT: "R2",
    Kind.CHILD: "R2",
    Kind.STILL: "R4",
    Kind.PUBLISH: "R11",
    Kind.BROKER: "R6",
    Kind.EMPTY: "R7",
    Kind.POSTGRES: "R10",
    Kind.STORAGE: "R17",
    Kind.DISK: "R18",
    Kind.CLOCK: "R19",
    Kind.DEPLOY: "R21",
}
AT_POINTS = {
    Kind.GROUP_AT_POINT: ("group", WORKING),
    Kind.CHILD_AT_POINT: ("process", WORKING),
    Kind.STILL: ("still", WORKING),
    Kind.PUBLISH: ("group", PUBLISHING),
}
"""How whoever comes to one of these points is struck."""
DEATHS = (Kind.GROUP_AT_POINT, Kind.GROUP, Kind.CHILD_AT_POINT, Kind.CHILD, Kind.PUBLISH)
"""Kinds whose recovery is bounded by R3: from the kill to the next beginning of the work that died."""


@dataclass
class Fault:
    """One run. `at` as `time.time()`; `victims`: the videos (and steps) that were being worked on, as far as known;
    `in_flight`: how many were on their road; `pids`: who was struck."""

    kind: Kind
    number: int
    point: str = ""
    at: float = 0.0
    victims: list[tuple[str, str]] = field(default_factory=list)
    in_flight: int = 0
    pids: set[int] = field(default_factory=set)
    attempt: int | None = None
    until: float = 0.0
    """When what it did was over: `at`, or later for one that lasts."""

    def strikes(self, fired: Fired, in_flight: int) -> None:
        self.at, self.point, self.pids = fired.at, fired.point, {fired.pid, *fired.group}
        self.until = fired.at + 1.0  # the others of its group lived a moment longer
        self.in_flight, self.attempt = in_flight, fired.attempt
        if fired.video_id and fired.step:
            self.victims = [(fired.video_id, fired.step)]

    def strikes_video(self, video_id: str) -> bool:
        return any(video == video_id for video, _ in self.victims)

    def __str__(self) -> str:
        return f"#{self.number} {self.kind}" + (f" ({self.point})" if self.point else "")


def deck(runs: int, dice: random.Random, *, without: Sequence[Kind] = ()) -> list[Fault]:
    """So many faults in the order in which they strike; of each kind at least one where there is room."""
    shares = {kind: share for kind, share in SHARES.items() if kind not in without}
    total, kinds, owed = sum(shares.values()), list[Kind](), 0.0
    for kind, share in shares.items():
        owed += share * runs / total
        kinds += [kind] * (round(owed) - len(kinds))
    dice.shuffle(kinds)
    return [Fault(kind, number) for number, kind in enumerate(kinds, 1)]


class PointDeck:
    """Named points, each drawn once before any is drawn again."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._left: dict[Kind, list[str]] = {}

    def draw(self, kind: Kind) -> str:
        if not self._left.get(kind):
            points = list(AT_POINTS[kind][1])
            self._dice.shuffle(points)
            self._left[kind] = points
        return self._left[kind].pop()
