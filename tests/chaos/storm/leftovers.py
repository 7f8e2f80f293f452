"""I3, I7: what belongs to nobody, in the stores and on the machine."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from biblio.domain.keys import owner_of
from tests.chaos.storm.evidence import Evidence, Finding
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.ground import Ground

CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'biblio'"


def no_orphans(evidence: Evidence) -> Iterator[Finding]:
    """I3: no vector, row, object or upload without the video it belongs to, and no artefact that no result names."""
    eyes = evidence.eyes
    videos = {row[0] for row in eyes.rows("SELECT id::text FROM videos")}
    for table in ("vectors", "passages", "blocks", "words", "jobs"):
        for (video,) in eyes.rows(f"SELECT DISTINCT video_id::text FROM {table}"):
            if video not in videos:
                yield Finding("I3", f"{table} of no video", video)
    for vector, video in eyes.rows(
        "SELECT v.id::text, v.video_id::text FROM vectors v LEFT JOIN passages p ON p.id = v.id WHERE p.id IS NULL"
    ):
        yield Finding("I3", f"a vector without its passage: {vector}", video)
    named = "".join(row[0] for row in eyes.rows("SELECT coalesce(result::text, '') || checkpoint::text FROM jobs"))
    for key in _objects(eyes):
        video = owner_of(key) or ""
        if video not in videos:
            yield Finding("I3", f"an object of no video: {key}", video)
        elif "/generations/" in key and key not in named:
            yield Finding("I3", f"an artefact that no result names: {key}", video)
    for upload in eyes.s3.list_multipart_uploads(Bucket=eyes.bucket).get("Uploads", []):
        yield Finding("I3", f"an unfinished upload: {upload['Key']}")


def _objects(eyes: Eyes) -> Iterator[str]:
    for page in eyes.s3.get_paginator("list_objects_v2").paginate(Bucket=eyes.bucket, Prefix="videos/"):
        yield from (entry["Key"] for entry in page.get("Contents", []))


def nothing_lives_on(evidence: Evidence) -> Iterator[Finding]:
    """I7."""
    for left in evidence.left:
        yield Finding("I7", left)


def lives_on(ground: Ground, eyes: Eyes, seconds: float = 5.0) -> list[str]:
    """Processes, temporary files and connections of a biblio whose programs were all told to stop."""
    deadline = time.monotonic() + seconds
    while left := _left(ground, eyes):
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return left


def broken(ground: Ground) -> list[str]:
    """What no code of ours had foreseen: the last handlers of worker and API write it into their logs."""
    return [
        f"{path.name}: {line[:2000]}"
        for path in sorted(ground.folder.logs.glob("*.log"))
        for line in path.read_text(errors="replace").splitlines()
        if '"a job broke"' in line or ('"logger": "biblio.entrypoints.api.problems"' in line and ' broke"' in line)
    ]


def unforeseen(evidence: Evidence) -> Iterator[Finding]:
    for line in evidence.broken:
        yield Finding("unforeseen", line)


def _left(ground: Ground, eyes: Eyes) -> list[str]:
    found = [f"a file: {path}" for path in ground.temporary.iterdir() if path.name != "ballast"]
    found += [f"a process: {one}" for one in (*ground.left_processes(), *_working_in(ground.temporary))]
    if connections := eyes.count(CONNECTIONS):
        found.append(f"{connections} connections to the database")
    return found


def _working_in(folder: Path) -> Iterator[str]:
    """FFmpeg and its cage get nothing of our environment, so they are known by where they work."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(folder):
                yield f"{process.pid} {process.name()}"
