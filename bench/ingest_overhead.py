"""How much longer is `biblio ingest --wait` than a bare script with the same ffmpeg and the same faster-whisper?

Both take the same talk, in turns, engines up and warm; the bare script loads its model, as bare scripts do.
Exit code 1 when the median ratio is over 1.25.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import (
    DATA,
    Server,
    describe,
    ffmpeg,
    ffmpeg_path,
    join_sound,
    load,
    median,
    sample_talk,
    server,
    weights,
)

MOST = 1.25
FRAGMENTS = "speech/ko/pansori_tedx"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="length of the talk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the shared test data")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder, server() as biblio:
        talk = make_talk(Path(folder), options.minutes * 60, options.data)
        print(f"talk: {options.minutes:g} minutes, {talk.stat().st_size / 1e6:.1f} MB", flush=True)
        print(f"warm-up on the sample talk, model load included: {ingest(biblio, sample_talk()):.2f} s", flush=True)
        rounds = [measure(number, biblio, talk) for number in range(1, options.rounds + 1)]
        if biblio.folder:
            print_steps(biblio.folder)
    ratios = [ours / bare for ours, bare in rounds]
    middle = median(ratios)
    print(f"median: ingest {median([a for a, _ in rounds]):.2f} s, bare script {median([b for _, b in rounds]):.2f} s")
    print(f"median ratio {middle:.3f}, allowed {MOST}: {'kept' if middle <= MOST else 'MISSED'}")
    if options.json:
        figures = {"machine": machine, "minutes": options.minutes, "rounds": rounds, "ratio": middle, "allowed": MOST}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if middle <= MOST else 1


def make_talk(folder: Path, seconds: float, data: Path) -> Path:
    """Real Korean stage talks, repeated where they are too short; without the data, the sample talk repeated."""
    pieces = fragments(data)
    if not pieces:
        print(f"no {FRAGMENTS} under {data}: the sample talk is repeated instead", flush=True)
        pieces, length = [(sample_talk(), 90.0)], 90.0
    else:
        length = sum(piece_length for _, piece_length in pieces)
    sound, film = folder / "sound.wav", folder / "talk.mp4"
    join_sound([file for file, _ in pieces] * int(seconds / length + 2), sound, seconds)
    picture = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=10")
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-c:a", "aac", "-b:a", "128k", "-shortest")
    ffmpeg(*picture, "-i", str(sound), *coding, str(film))
    sound.unlink()
    return film


def fragments(data: Path) -> list[tuple[Path, float]]:
    """Each fragment of the joined talks in order, and its seconds."""
    found = []
    for timeline in sorted((data / FRAGMENTS).glob("*/timeline.jsonl")):
        rows = [json.loads(line) for line in timeline.read_text(encoding="utf-8").splitlines()]
        found += [(data / row["file"], row["end_s"] - row["start_s"]) for row in rows]
    return found


def measure(number: int, biblio: Server, talk: Path) -> tuple[float, float]:
    before = load()
    ours, bare = ingest(biblio, talk), run_bare(talk)
    print(f"round {number}: ingest {ours:.2f} s, bare {bare:.2f} s, ratio {ours / bare:.3f} (load {before} → {load()})")
    sys.stdout.flush()
    return ours, bare


def ingest(biblio: Server, film: Path) -> float:
    began = time.monotonic()
    with biblio.ingest([film]) as process:
        output, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"biblio ingest failed: {output}")
    return time.monotonic() - began


def run_bare(film: Path) -> float:
    script = Path(__file__).with_name("bare_script.py")
    command = [sys.executable, str(script), ffmpeg_path(), str(weights()), str(film)]
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=True)
    return time.monotonic() - began


def print_steps(folder: Path) -> None:
    """Where the time of the last ingest went, in the workers' own words."""
    logs = [folder / "logs" / f"{queue}-worker.log" for queue in ("media", "ai", "index")]
    lines = [line for log in logs for line in log.read_text(encoding="utf-8").splitlines()]
    told = [line for line in lines if "of video" in line and ("begins" in line or "is done" in line)]
    steps = sorted(told, key=lambda line: line.split()[0])  # whole seconds; stable, so queues stay in order
    print("the last ingest, step by step:", *steps[-8:], sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
