"""I1, I2, I4, I5: how each video ended, and what readers see of it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.chaos.storm.evidence import Evidence, Finding
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Kind
from tests.chaos.storm.films import reference
from tests.chaos.storm.people import Story

MOST_DEATHS = 3


def everybody_ended(evidence: Evidence) -> Iterator[Finding]:
    """I1: whatever was accepted is COMPLETED, or FAILED as its file deserves, or what its user wished instead."""
    if evidence.calm is None:
        yield Finding("I1", "not everything had ended in time")
    found = {
        row[0]: row[1:] for row in evidence.eyes.rows("SELECT id::text, status, failure->>'code', step FROM videos")
    }
    deleted = {row[0] for row in evidence.eyes.rows("SELECT video_id::text FROM deletions")}
    for video_id, story in evidence.told.items():
        if video_id not in found:
            if video_id not in deleted or story.outcome("delete") == "none":
                yield Finding("I1", "lost: accepted, and not there", video_id)
        elif story.outcome("delete") == "done":
            yield Finding("I1", "still there after it was deleted", video_id)
        else:
            yield from _ended_well(evidence, story, *found[video_id])


def _ended_well(evidence: Evidence, story: Story, status: str, code: str | None, step: str | None) -> Iterator[Finding]:
    deserved = ("FAILED", story.film.deserves) if story.film.deserves is not None else ("COMPLETED", None)
    expected: set[tuple[str, str | None]] = {deserved}
    if story.outcome("cancel") in ("done", "unknown"):
        expected |= {("CANCELED", None), ("COMPLETED", None)}
        if story.outcome("cancel") == "done":
            expected.discard(("FAILED", story.film.deserves))
    kills = [one for one in evidence.faults if one.kind in (Kind.CHILD, Kind.CHILD_AT_POINT)]
    if sum(fault.strikes_video(story.video_id) for fault in kills) >= MOST_DEATHS:
        expected.add(("FAILED", "WORKER_DIED"))
    if (status, code) not in expected:
        wanted = " or ".join(f"{one} {why or ''}".strip() for one, why in sorted(expected, key=str))
        yield Finding("I1", f"{status} {code or ''} instead of {wanted}", story.video_id)
    if status == "FAILED" and step is None:
        yield Finding("I1", "FAILED without its step", story.video_id)


STORES = {
    "passages": "SELECT video_id::text, generation, position, text, id::text FROM passages ORDER BY position",
    "blocks": "SELECT video_id::text, generation, number, own FROM blocks ORDER BY number",
    "words": "SELECT video_id::text, generation, word FROM words",
    "vectors": "SELECT video_id::text, generation, id::text FROM vectors",
}


def indexed_once(evidence: Evidence) -> Iterator[Finding]:
    """I2: what readers see is the reference exactly once, with as many vectors as passages, of one space."""
    eyes = evidence.eyes
    held = {name: _by_generation(eyes, query) for name, query in STORES.items()}
    for video, status, generation in eyes.rows("SELECT id::text, status, indexed_generation FROM videos"):
        stray = {one for store in held.values() for v, one in store if v == video} - {generation}
        if stray:
            yield Finding("I2", f"generations {sorted(stray)} that nobody reads, beside {generation}", video)
        if (story := evidence.told.get(video)) is not None and status == "COMPLETED":
            wanted = reference(story.film.kind, story.film.seconds)
            yield from _is_reference(video, wanted, {name: held[name][video, generation] for name in held})
    for name in held:
        others = f"SELECT DISTINCT video_id::text FROM {name} t JOIN videos v ON v.id = video_id"
        for (video,) in eyes.rows(f"{others} WHERE t.user_id <> v.user_id"):
            yield Finding("I2", f"{name} that are another user's", video)
    spaces = [space for (space,) in eyes.rows("SELECT DISTINCT space FROM vectors")]
    if len(spaces) > 1:
        yield Finding("I2", f"vectors of several spaces: {spaces}")


def _by_generation(eyes: Eyes, query: str) -> "defaultdict[tuple[str, int], list[Any]]":
    """The rest of each row, by video and generation."""
    found = defaultdict[tuple[str, int], list[Any]](list)
    for video, generation, *rest in eyes.rows(query):
        found[video, generation].append(tuple(rest))
    return found


def _is_reference(video: str, wanted: Sequence[str], held: Mapping[str, Sequence[Any]]) -> Iterator[Finding]:
    passages = [(position, text) for position, text, _ in held["passages"]]
    if passages != list(enumerate(wanted)):
        yield Finding("I2", f"passages {passages} instead of {list(enumerate(wanted))}", video)
    if sorted(one for _, _, one in held["passages"]) != sorted(one for (one,) in held["vectors"]):
        yield Finding("I2", "passages and vectors are not the same ones", video)
    numbers, own = [number for number, _ in held["blocks"]], sum(own for _, own in held["blocks"])
    if numbers != list(range(len(numbers))) or own != len(wanted):
        yield Finding("I2", f"blocks {held['blocks']} of {len(wanted)} passages", video)


def same_file(evidence: Evidence) -> Iterator[Finding]:
    """I4: what was processed, and still lies there, is what was accepted."""
    eyes = evidence.eyes
    for video, key, etag in eyes.rows("SELECT id::text, key, etag FROM videos WHERE etag IS NOT NULL"):
        try:
            stored = eyes.s3.get_object(Bucket=eyes.bucket, Key=key)
        except ClientError as error:
            yield Finding("I4", f"its original can't be read: {error}", video)
            continue
        story, data = evidence.told.get(video), stored["Body"].read()
        if stored["ETag"] != etag:
            yield Finding("I4", f"its original has the etag {stored['ETag']}, not {etag}", video)
        if story is not None and hashlib.sha256(data).hexdigest() != story.sha256:
            yield Finding("I4", "its original is not what was sent", video)


def fenced(evidence: Evidence) -> Iterator[Finding]:
    """I5: every result is that of the last attempt, and a video was completed once a run."""
    results = "SELECT video_id::text, generation, step, attempt, result FROM jobs WHERE state = 'DONE' AND attempt > 0"
    for video, generation, step, attempt, result in evidence.eyes.rows(results):
        for name in ("transcript", "vectors"):
            key = str((result or {}).get(name, ""))
            if key and f"/generations/{generation}/{attempt}/" not in key:
                yield Finding("I5", f"{step} {attempt} has the result of another attempt: {key}", video)
    completions = evidence.eyes.rows(
        "SELECT v.id::text, v.generation, count(*) FROM videos v JOIN video_events e ON e.video_id = v.id "
        "WHERE e.kind = 'status' AND e.status = 'COMPLETED' GROUP BY 1, 2"
    )
    for video, generation, count in completions:
        if count > generation:
            yield Finding("I5", f"COMPLETED {count} times in {generation} runs", video)


def events_in_order(evidence: Evidence) -> Iterator[Finding]:
    """Numbers without a gap, and progress that never goes back within a run."""
    numbers = "SELECT user_id, count(*), min(id), max(id) FROM video_events GROUP BY user_id"
    forgetful = {user for (user,) in evidence.eyes.rows("SELECT user_id FROM deletions")}
    for user, count, first, last in evidence.eyes.rows(numbers):
        if (first, last) != (1, count) and user not in forgetful:  # a deleted video takes its events along
            yield Finding("events", f"{count} events of {user} are numbered {first} to {last}")
    reached: dict[str, int] = {}
    for video, status, progress in evidence.eyes.rows(
        "SELECT video_id::text, status, progress FROM video_events ORDER BY user_id, id"
    ):
        if status == "PENDING":
            reached[video] = 0
        if progress < reached.get(video, 0):
            yield Finding("events", f"progress fell from {reached[video]} to {progress} %", video)
        reached[video] = progress
