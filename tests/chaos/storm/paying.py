"""I6: what was paid for, and what was written down as used."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from tests.chaos.storm.evidence import Evidence, Finding
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Fault, Kind

ENGINES = (Kind.POSTGRES, Kind.STORAGE, Kind.DISK)
"""While one of them is away nobody can keep what was heard."""
JUMPS = (-3600.0, 3600.0)
GRACE = 12.0
"""Seconds after an engine answers again in which a worker may still meet a dead connection."""
UNITS = {"transcribe": "seconds_transcribed", "embed": "tokens_embedded"}


@dataclass
class Call:
    """`end` None: it never ended."""

    pid: int
    begin: float
    end: float | None = None


def paid_once(evidence: Evidence) -> Iterator[Finding]:
    """A piece of sound is heard once a run, and once more for each fault that struck whoever had heard it last."""
    runs, videos = _runs(evidence.eyes), _videos_by_sound(evidence.eyes)
    for (sound, start), calls in _calls(evidence.calls).items():
        video = videos.get(sound, "")
        unexcused = [
            (one, other)
            for one, other in zip(calls, calls[1:], strict=False)
            if not any(_excuses(fault, one, other) for fault in evidence.faults)
        ]
        if len(unexcused) > max(0, runs.get(video, 1) - 1):
            told = "; ".join(f"{one.pid} at {one.begin % 100_000:.2f}" for one in calls)
            yield Finding("I6", f"paid {len(calls)} times for the piece at {start} s of {sound[:8]}: {told}", video)


def _excuses(fault: Fault, call: Call, repeated: Call) -> bool:
    if fault.kind in ENGINES:
        return call.begin < fault.until + GRACE and fault.at < repeated.begin
    if fault.kind is Kind.CLOCK:
        # Storage takes nothing from whoever has another time; what such a one says of its own time is off by the jump.
        return call.pid in fault.pids or any(fault.at < call.begin + jump < fault.until for jump in JUMPS)
    if fault.at > repeated.begin or fault.until < call.begin:
        return False
    if fault.kind is Kind.DEPLOY and call.end is not None:
        return False  # whoever is told to stop has time to keep what was heard
    return call.pid in fault.pids


def _calls(log: Path) -> dict[tuple[str, float], list[Call]]:
    found = defaultdict[tuple[str, float], list[Call]](list)
    for line in log.read_text().splitlines() if log.exists() else []:
        said = json.loads(line)
        calls = found[said["audio"], said["start"]]
        if said["event"] == "begin":
            calls.append(Call(said["pid"], said["time"]))
        else:
            ended = [call for call in calls if call.pid == said["pid"] and call.end is None]
            ended[-1].end = said["time"]
    return found


def _runs(eyes: Eyes) -> dict[str, int]:
    """How often a video was transcribed by its users' wish."""
    return dict(
        eyes.rows("SELECT video_id::text, count(*) FROM jobs WHERE step = 'transcribe' AND attempt > 0 GROUP BY 1")
    )


def _videos_by_sound(eyes: Eyes) -> dict[str, str]:
    found = {}
    for (video,) in eyes.rows("SELECT id::text FROM videos"):
        try:
            stored = eyes.s3.get_object(Bucket=eyes.bucket, Key=f"videos/{video}/speech.flac")
        except ClientError:
            continue
        found[hashlib.sha1(stored["Body"].read()).hexdigest()] = video
    return found


def usage_once(evidence: Evidence) -> Iterator[Finding]:
    """What each finished step used is written down once; what was not done, never."""
    eyes = evidence.eyes
    done = eyes.rows(
        "SELECT video_id::text, generation, step FROM jobs WHERE state = 'DONE' AND attempt > 0 AND step = ANY(%s)",
        list(UNITS),
    )
    expected = {(video, generation, UNITS[step]) for video, generation, step in done}
    arrived = eyes.rows("SELECT id::text, file_size FROM videos WHERE etag IS NOT NULL")
    expected |= {(video, 1, "bytes_stored") for video, _ in arrived}
    sizes, videos = dict(arrived), {row[0] for row in eyes.rows("SELECT id::text FROM videos")}
    written = set()
    for video, generation, unit, amount in eyes.rows("SELECT video_id::text, generation, unit, amount FROM usage"):
        written.add((video, generation, unit))
        if unit == "bytes_stored" and video in sizes and amount != sizes[video]:
            yield Finding("usage", f"{amount} bytes instead of {sizes[video]}", video)
    for video, generation, unit in sorted(expected - written):
        yield Finding("usage", f"missing: {unit} of run {generation}", video)
    for video, generation, unit in sorted(written - expected):
        if video in videos:
            yield Finding("usage", f"of nothing: {unit} of run {generation}", video)
