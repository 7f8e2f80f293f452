"""A worker in small: `python -m tests.hostile.grinder FOLDER OPTION=VALUE…`; for each file one line of JSON.

A process of its own, so that the memory of its children can be asked of the system, and so that its own death shows.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import DEVNULL, run

from biblio.adapters.audio.ffmpeg import connect
from biblio.dsn import Dsn
from biblio.errors import BiblioError
from biblio.ports.audio import AudioExtractor
from tests.contracts.films import BytesSource

COMMAND = (sys.executable, "-m", "tests.hostile.grinder")


@dataclass(frozen=True)
class Outcome:
    """`code`: `sound`, or that of the error. `cpu` in seconds; `peak`: bytes of the largest process so far."""

    name: str
    code: str
    message: str
    seconds: float
    cpu: float
    duration: float
    written: int
    left: int
    peak: int
    transfers_open: int


def grind(folder: Path, *, timeout: float, **options: object) -> list[Outcome]:
    """What became of every file in `folder`, by name, with `options` of ffmpeg://. Raises when the process dies."""
    command = [*COMMAND, str(folder), *(f"{name}={value}" for name, value in options.items())]
    done = run(command, stdin=DEVNULL, capture_output=True, text=True, timeout=timeout, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return [Outcome(**json.loads(line)) for line in done.stdout.splitlines()]


def _outcomes(folder: Path, options: dict[str, str]) -> Iterator[Outcome]:
    extractor = connect(Dsn("ffmpeg", options=options))
    for path in sorted(folder.iterdir()):
        yield _outcome(extractor, path)


def _outcome(extractor: AudioExtractor, path: Path) -> Outcome:
    began, before = time.monotonic(), _cpu()
    source = BytesSource(path.read_bytes(), piece=1024**2)
    code, message, duration, written = "sound", "", 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            sound = extractor.extract(source, Path(folder), lambda _share: None)
            duration, written = sound.duration, sound.listening.stat().st_size + sound.speech.stat().st_size
        except BiblioError as error:
            code, message = error.code, error.message
        left = len(list(Path(folder).iterdir())) if code != "sound" else 0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    seconds, cpu = time.monotonic() - began, _cpu() - before
    return Outcome(path.name, code, message, seconds, cpu, duration, written, left, peak, source.open)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for outcome in _outcomes(Path(sys.argv[1]), dict(each.split("=", 1) for each in sys.argv[2:])):
        print(json.dumps(asdict(outcome)), flush=True)
