"""Which of a user's videos are listed, and in which order."""

from dataclasses import dataclass
from enum import StrEnum

from biblio.domain.flow import Status


class Sort(StrEnum):
    """By length, those of which none is known yet come last either way."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    LONGEST = "longest"
    SHORTEST = "shortest"
    UPDATED = "updated"


@dataclass(frozen=True)
class Chosen:
    """What is left out is no condition. `title` is any part of it; capitals and the form of letters do not matter."""

    statuses: frozenset[Status] = frozenset()
    title: str | None = None
    language: str | None = None
    fingerprint: str | None = None
    acknowledged: bool | None = None


ALL = Chosen()
