"""Compares what people were told with what the stores hold once all is quiet, as Jepsen does. It trusts no port of
biblio but `check`, which is itself on trial."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from biblio.pipeline.check import check
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


def check_all(evidence: Evidence) -> list[Finding]:
    from tests.chaos.storm import ending, leftovers, paying

    invariants: tuple[Invariant, ...] = (
        ending.everybody_ended,
        ending.indexed_once,
        ending.same_file,
        ending.fenced,
        ending.events_in_order,
        leftovers.no_orphans,
        leftovers.nothing_lives_on,
        leftovers.unforeseen,
        paying.paid_once,
        paying.usage_once,
        drift,
        answers,
    )
    return [with_history(evidence, finding) for invariant in invariants for finding in invariant(evidence)]


def drift(evidence: Evidence) -> Iterator[Finding]:
    for one in check(evidence.services):
        yield Finding("drift", f"{one.what}: {one.where}")


def answers(evidence: Evidence) -> Iterator[Finding]:
    for answer in evidence.answers:
        yield Finding("R10", f"an answer that no fault excuses: {answer}")


def with_history(evidence: Evidence, finding: Finding) -> Finding:
    """Its wishes, events and faults, by time."""
    if not finding.video_id:
        return finding
    lines = [
        (at, f"{kind} {status} {step or ''} {progress} % {failure or ''} {detail or ''}")
        for at, kind, status, step, progress, failure, detail in evidence.eyes.rows(
            "SELECT extract(epoch FROM at)::float, kind, status, step, progress, failure->>'code', "
            "nullif(detail::text, '{}') FROM video_events WHERE video_id = %s",
            finding.video_id,
        )
    ]
    for story in evidence.stories:
        if story.video_id == finding.video_id:
            lines += [(one.at, f"{one.wish} {one.detail} of {story.film.name}: {one.status}") for one in story.said]
    lines += [(fault.at, f"fault {fault}") for fault in evidence.faults if fault.strikes_video(finding.video_id)]
    history = tuple(f"{at % 100_000:.2f} {text}" for at, text in sorted(lines))
    return Finding(finding.invariant, finding.what, finding.video_id, history)
