"""Who heard which part of a sound: several engines may have shared it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class HeardBy:
    """An engine by the name it has among those that are asked, and its own name of the model it used."""

    engine: str
    model: str


@dataclass(frozen=True)
class Share:
    """`pieces` in a row, `start` to `end` in seconds, that one engine heard with one model."""

    start: float
    end: float
    pieces: int
    by: HeardBy

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def as_json(self) -> dict[str, Any]:
        times = {"start_time": self.start, "end_time": self.end, "pieces": self.pieces}
        return {"engine": self.by.engine, "model": self.by.model, **times}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Share":
        by = HeardBy(data["engine"], data["model"])
        return cls(data["start_time"], data["end_time"], data["pieces"], by)


def shares_of(pieces: Iterable[tuple[float, HeardBy]], duration: float) -> tuple[Share, ...]:
    """Pieces (their end in seconds, and whose they are) in their order; the last one ends with the sound."""
    shares: list[Share] = []
    for until, by in pieces:
        if shares and shares[-1].by == by:
            shares[-1] = replace(shares[-1], end=until, pieces=shares[-1].pieces + 1)
        else:
            shares.append(Share(shares[-1].end if shares else 0.0, until, 1, by))
    return (*shares[:-1], *(replace(last, end=max(last.start, duration)) for last in shares[-1:]))


def seconds_by(shares: Iterable[Share]) -> dict[HeardBy, float]:
    """How much each heard; who heard most comes first."""
    total: dict[HeardBy, float] = {}
    for share in shares:
        total[share.by] = total.get(share.by, 0.0) + share.seconds
    return dict(sorted(total.items(), key=lambda one: -one[1]))
