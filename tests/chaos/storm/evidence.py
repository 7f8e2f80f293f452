"""What a storm leaves to judge, and a judgement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from biblio.pipeline.services import Services
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Fault
from tests.chaos.storm.people import Story


@dataclass(frozen=True)
class Finding:
    """A broken promise; `invariant` as in docs/chaos.md. `history`: all that is known of its video."""

    invariant: str
    what: str
    video_id: str = ""
    history: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join((f"{self.invariant} {self.what} {self.video_id}".rstrip(), *self.history))


@dataclass(frozen=True)
class Evidence:
    """All that is known of a storm. `calls`: the log of paid calls; `calm` as in `Weather`; `answers`: those of the
    API that no fault excuses; `left`: what still lived after everybody had stopped; `broken`: lines of logs that tell
    of a defect."""

    stories: list[Story]
    faults: list[Fault]
    calm: float | None
    calls: Path
    eyes: Eyes
    services: Services
    answers: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def told(self) -> dict[str, Story]:
        """Stories by video, of those that were accepted."""
        return {story.video_id: story for story in self.stories if story.is_accepted}


Invariant = Callable[[Evidence], Iterator[Finding]]
