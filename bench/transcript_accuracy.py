"""Does the pipeline lose anything? Error rates of `biblio ingest` beside those of faster-whisper called directly.

Both hear the same original files with the same model and settings. Characters without blanks and punctuation count
for Korean and Japanese, words for other languages. Exit code 1 when any file is over a percentage point worse.
"""

import argparse
import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from faster_whisper import BatchedInferencePipeline, WhisperModel
from machine import DATA, describe, join_sound, server, weights

from biblio.client import Client
from biblio.domain.video import MIME_TYPES

MOST = 1.0
"""Percentage points."""
FRAGMENTS = "pansori_tedx"
EVERY = 24
WITHOUT_BLANKS = {"ko", "ja"}


@dataclass(frozen=True)
class Speech:
    file: Path
    language: str
    reference: str


@dataclass(frozen=True)
class Result:
    name: str
    language: str
    units: int
    ours: float
    direct: float
    same_text: bool

    @property
    def worse(self) -> float:
        return self.ours - self.direct


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the shared test data")
    parser.add_argument("--limit", type=int, help="only so many files, spread over all kinds")
    parser.add_argument("--all", action="store_true", help=f"every fragment of the talks, not one in {EVERY}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    if not (options.data / "manifest.jsonl").is_file():
        raise SystemExit(f"no speech with reference transcripts at {options.data}; give --data")
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder:
        speeches = [*joined_talks(options.data, Path(folder)), *single_files(options.data, options.all)]
        if options.limit and options.limit < len(speeches):
            speeches = [speeches[number * len(speeches) // options.limit] for number in range(options.limit)]
        print(f"{len(speeches)} files", flush=True)
        ours = through_biblio([speech.file for speech in speeches])
        results = list(compare(speeches, ours))
    worst = conclude(results)
    if options.json:
        rows = [asdict(result) for result in results]
        figures = {"machine": machine, "files": rows, "worst": worst, "allowed": MOST}
        options.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if worst <= MOST else 1


def single_files(data: Path, every_fragment: bool) -> list[Speech]:
    """Files whose ending biblio takes; of the fragments of joined talks only a sample."""
    lines = (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("transcript") and _is_taken(row["file"])]
    fragments = [row for row in rows if FRAGMENTS in row["file"]]
    others = [row for row in rows if FRAGMENTS not in row["file"]]
    chosen = others + fragments[:: 1 if every_fragment else EVERY]
    return [Speech(data / row["file"], row["lang"], row["transcript"]) for row in chosen]


def joined_talks(data: Path, folder: Path) -> Iterator[Speech]:
    """Each talk, and all of them as one, which is long enough to be heard in pieces."""
    talks = {
        timeline.parent.name: [json.loads(line) for line in timeline.read_text(encoding="utf-8").splitlines()]
        for timeline in sorted((data / "speech/ko" / FRAGMENTS).glob("*/timeline.jsonl"))
    }
    for name, rows in {**talks, "all": [row for talk in talks.values() for row in talk]}.items():
        talk = folder / f"talk_{name}.flac"
        join_sound([data / row["file"] for row in rows], talk)
        yield Speech(talk, "ko", " ".join(row["text"] for row in rows))


def _is_taken(file: str) -> bool:
    return Path(file).suffix.lower().removeprefix(".") in MIME_TYPES


def through_biblio(files: Sequence[Path]) -> dict[str, str]:
    """The text of each file; a warm-up is not needed, as nothing is timed."""
    texts: dict[str, str] = {}
    with server() as biblio, Client(biblio.url, biblio.key) as client, biblio.ingest(files) as process:
        assert process.stdout is not None
        for line in process.stdout:
            outcome = json.loads(line)
            done = outcome["status"] == "COMPLETED"
            texts[outcome["file"]] = client.transcript(outcome["video_id"]) if done else ""
            if not done:
                print(f"NOT COMPLETED: {line.strip()}", flush=True)
    return texts


def compare(speeches: Sequence[Speech], ours: dict[str, str]) -> Iterator[Result]:
    model = WhisperModel(str(weights()), device="cpu", compute_type="int8")
    for speech in speeches:
        segments, _ = BatchedInferencePipeline(model).transcribe(str(speech.file), batch_size=8, word_timestamps=True)
        texts = ours[str(speech.file)], " ".join(segment.text for segment in segments)
        reference = units(speech.reference, speech.language)
        heard = [units(text, speech.language) for text in texts]
        rates = [100 * distance(reference, said) / max(len(reference), 1) for said in heard]
        name = f"{speech.file.parent.name}/{speech.file.name}"
        result = Result(name, speech.language, len(reference), rates[0], rates[1], heard[0] == heard[1])
        print(line_of(result), flush=True)
        if result.worse > MOST:
            print(f"    biblio: {texts[0]!r}\n    direct: {texts[1]!r}\n    spoken: {speech.reference!r}", flush=True)
        yield result


def line_of(result: Result) -> str:
    same = "same text" if result.same_text else ""
    rates = f"biblio {result.ours:6.2f} %  direct {result.direct:6.2f} %  {result.worse:+6.2f}"
    return f"{result.language}  {result.units:5} units  {rates}  {result.name}  {same}".rstrip()


def conclude(results: Sequence[Result]) -> float:
    worst = max(results, key=lambda result: result.worse)
    total = sum(result.units for result in results)
    ours = sum(result.ours * result.units for result in results) / total
    direct = sum(result.direct * result.units for result in results) / total
    same = sum(result.same_text for result in results)
    bad = sum(result.worse > MOST for result in results)
    better = sum(result.worse < -MOST for result in results)
    print(f"all together: biblio {ours:.2f} %, direct {direct:.2f} %; {same} of {len(results)} word for word the same")
    print(f"over {MOST:g} point worse: {bad} files, over {MOST:g} point better: {better} files")
    print(f"worst {worst.worse:+.2f} points ({worst.name}), allowed {MOST:+g}: {'MISSED' if bad else 'kept'}")
    return worst.worse


def units(text: str, language: str) -> list[str]:
    """What is counted: letters and digits, or words of them."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if language in WITHOUT_BLANKS:
        return [letter for letter in plain if letter.isalnum()]
    return re.findall(r"\w+", plain.replace("'", "").replace("’", ""))


def distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein: the fewest insertions, deletions and replacements."""
    row = list(range(len(heard) + 1))
    for number, wanted in enumerate(reference, 1):
        corner, row[0] = row[0], number
        for place, got in enumerate(heard, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (wanted != got))
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
