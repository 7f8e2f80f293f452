"""What does a crash near the end of a long lecture cost? Hours of real speech, heard once in peace and once killed.

The lecture is made by joining the shared talks again and again. The first video goes the whole road undisturbed; at the
second, every process of the worker that listens is killed with -9 when `--at` of the sound is heard. Which attempt left
which piece is read in storage. Always starts its own biblio; BIBLIO_SPEECH chooses who listens (the default takes an
eighth of the lecture's length on two cores, twice). Needs free disk for four times the lecture (60 MB an hour).
Exit code 1 when more than one piece was heard twice, or when the two transcripts differ.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

import psutil
from machine import DATA, Server, describe, join_sound, server

from biblio.bootstrap import build, engines
from biblio.client import Client
from biblio.domain import keys
from biblio.domain.flow import Step, overall_progress
from biblio.local.folder import DataFolder
from biblio.pipeline.services import Services
from biblio.settings import read_settings

MOST_AGAIN = 1
BEAT = 0.5
PIECE = re.compile(r"/(\d+)/piece-(\d+)\.json$")


@dataclass(frozen=True)
class Run:
    """`pieces`: which attempt left which. `waited`: seconds from the kill to the next progress."""

    transcript: str
    seconds: float
    pieces: dict[int, list[int]]
    killed_at: int | None = None
    waited: float = 0.0

    @property
    def again(self) -> int:
        """Pieces begun more than once: those that two attempts left, and those at which an attempt died."""
        left = [number for numbers in self.pieces.values() for number in numbers]
        return len(left) - len(set(left)) + len(self.pieces) - 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the shared test data")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--at", type=float, default=0.95, help="part of the sound that is heard when the kill comes")
    parser.add_argument("--model", help="fast, high_quality or a name; the engine's own by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder, server(own=True) as biblio:
        lecture = make_lecture(options.data, Path(folder) / "lecture.flac", options.hours * 3600)
        bench = Bench(biblio, lecture, options.model)
        peaceful = bench.hear()
        tell("in peace", peaceful)
        killed = bench.hear(kill_at=options.at)
        tell(f"killed at {killed.killed_at} % of the road", killed)
        bench.close()
    went_well = judge(peaceful, killed)
    if options.json:
        figures = {"machine": machine, "peaceful": asdict(peaceful), "killed": asdict(killed)}
        options.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if went_well else 1


def make_lecture(data: Path, target: Path, seconds: float) -> Path:
    rows = [
        json.loads(line)
        for timeline in sorted((data / "speech/ko/pansori_tedx").glob("*/timeline.jsonl"))
        for line in timeline.read_text(encoding="utf-8").splitlines()
    ]
    if not rows:
        raise SystemExit(f"no talks at {data}; give --data")
    length = sum(row["end_s"] - row["start_s"] for row in rows)
    join_sound([data / row["file"] for row in rows] * ceil(seconds / length), target, seconds)
    print(f"a lecture of {seconds / 3600:g} h, {target.stat().st_size / 1e6:.0f} MB", flush=True)
    return target


class Bench:
    def __init__(self, biblio: Server, lecture: Path, model: str | None) -> None:
        assert biblio.folder is not None
        running = DataFolder(biblio.folder).read_addresses()
        assert running is not None
        self._services: Services = build(read_settings({}, defaults=running.addresses))
        self._client = Client(biblio.url, biblio.key)
        self._lecture = lecture
        self._model = model

    def hear(self, kill_at: float | None = None) -> Run:
        began = time.monotonic()
        video_id = self._client.upload(self._lecture, model=self._model)["video_id"]
        pieces: dict[int, set[int]] = {}
        killed_at, waited = None, 0.0
        if kill_at is not None:
            killed_at = self._reach(video_id, overall_progress(Step.TRANSCRIBE, kill_at), pieces)
            if killed_at >= overall_progress(Step.EMBED, 0.0):
                raise SystemExit("all was heard before the kill; give more --hours, or less --at")
            kill_listeners()
            began_waiting = time.monotonic()
            self._reach(video_id, killed_at + 1, pieces)
            waited = time.monotonic() - began_waiting
        self._reach(video_id, 100, pieces)
        text = self._client.transcript(video_id, format="json")
        left = {attempt: sorted(numbers) for attempt, numbers in sorted(pieces.items())}
        return Run(text, time.monotonic() - began, left, killed_at, waited)

    def close(self) -> None:
        self._client.close()
        for engine in engines(self._services).values():
            engine.close()

    def _reach(self, video_id: str, progress: int, pieces: dict[int, set[int]]) -> int:
        """Notes the pieces on the way: they are cleared up behind a video that is COMPLETED."""
        while True:
            status = self._client.status(video_id)
            for stored in self._services.storage.inventory.objects(keys.artefacts(video_id)):
                if piece := PIECE.search(stored.key):
                    pieces.setdefault(int(piece[1]), set()).add(int(piece[2]))
            if status["status"] in ("FAILED", "CANCELED"):
                raise SystemExit(f"the lecture was not taken: {status}")
            if status["progress"] >= progress:
                return int(status["progress"])
            time.sleep(BEAT)


def kill_listeners() -> None:
    """The whole process group of the worker, so that nothing of it can end in order."""
    words = ["worker", "--queue", "ai"]
    found = [process for process in psutil.Process().children(recursive=True) if _holds(process.cmdline(), words)]
    if not found:
        raise SystemExit("there is no worker that listens")
    for process in found:
        process.kill()


def _holds(command: Sequence[str], words: Sequence[str]) -> bool:
    return any(list(command[start : start + len(words)]) == words for start in range(len(command)))


def tell(name: str, run: Run) -> None:
    left = ", ".join(f"attempt {attempt} left {numbers[0]}–{numbers[-1]}" for attempt, numbers in run.pieces.items())
    print(f"{name}: {run.seconds:.0f} s; pieces: {left}", flush=True)


def judge(peaceful: Run, killed: Run) -> bool:
    same = peaceful.transcript == killed.transcript
    sentences = len(json.loads(killed.transcript)["results"])
    few = killed.again <= MOST_AGAIN
    print(f"progress again {killed.waited:.0f} s after the kill; {killed.again} pieces heard twice", end=", ")
    print(f"allowed {MOST_AGAIN}: {'kept' if few else 'MISSED'}")
    print(f"transcripts of {sentences} sentences: {'the same' if same else 'DIFFERENT'}")
    return same and few


if __name__ == "__main__":
    sys.exit(main())
