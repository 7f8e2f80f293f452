"""Compares what people were told with what the stores hold once all is quiet, as Jepsen does. It trusts no port of
biblio but `check`, which is itself on trial."""

from collections.abc import Iterator

from biblio.pipeline.check import check
from tests.chaos.storm import ending, leftovers, paying
from tests.chaos.storm.evidence import Evidence, Finding, Invariant


def check_all(evidence: Evidence) -> list[Finding]:
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
