"""What was used, by whom and for which video: each amount once, in the transaction of the result that used it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from biblio.domain.video import Video

BYTES_STORED = "bytes_stored"
SECONDS_TRANSCRIBED = "seconds_transcribed"
TOKENS_EMBEDDED = "tokens_embedded"


@dataclass(frozen=True)
class Used:
    """`amount` of `unit` by `engine`: bytes, seconds of sound or tokens."""

    unit: str
    amount: float
    engine: str


@dataclass(frozen=True)
class UsedByVideo(Used):
    video_id: str


class UsageLog(Protocol):
    """- an amount is written once for a video, generation, unit and engine
    - usage outlives its video
    - a user sees only their own usage, of the asked time only
    """

    def add(self, video: Video, used: Used) -> None: ...

    def between(self, user_id: str, start: datetime, end: datetime) -> Sequence[UsedByVideo]:
        """Amounts from `start` up to but not including `end`, added up by video, unit and engine."""

    def total(self, user_id: str, unit: str, since: datetime) -> float:
        """What a user used of a unit since a moment."""
