"""What every measurement here needs: the machine it ran on, a running biblio, and films to give it."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from biblio.adapters.audio.binary import find_ffmpeg
from biblio.adapters.speech.weights import locate
from biblio.entrypoints.cli.local_library import LocalLibrary
from biblio.local.folder import DataFolder
from biblio.local.sample import TALK
from biblio.settings import read_settings

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
MIB = 1024**2


@dataclass(frozen=True)
class Server:
    """`folder` only for one that was started here."""

    url: str
    key: str
    folder: Path | None

    def ingest(self, files: Sequence[Path], *words: str) -> subprocess.Popen[str]:
        """`biblio ingest` as a person types it, already running; its JSON lines come on standard output."""
        command = [sys.executable, "-m", "biblio", "ingest", "--wait", "--json", *words, *map(str, files)]
        return subprocess.Popen(
            command,
            env={**os.environ, "BIBLIO_URL": self.url, "BIBLIO_API_KEY": self.key},
            stdout=subprocess.PIPE,
            text=True,
        )


@contextmanager
def server(own: bool = False) -> Iterator[Server]:
    """The biblio at BIBLIO_URL, else (and always with `own`) a fresh one in a temporary folder, all engines up."""
    given = read_settings()
    if given.url and not own:
        yield Server(given.url, given.api_key or "", None)
        return
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as temporary:
        folder = DataFolder(Path(temporary) / "data")
        began = time.monotonic()
        library = LocalLibrary(folder, given, port=None, say=lambda _line: None)
        with library.stack:
            print(f"biblio is up on {folder.path} after {time.monotonic() - began:.1f} s", flush=True)
            yield Server(library.page, folder.api_key.read_text(encoding="utf-8").strip(), folder.path)


def describe() -> dict[str, object]:
    """Commit and machine, printed and returned."""
    memory = psutil.virtual_memory()
    facts: dict[str, object] = {
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory.total / 1024**3, 1),
        "free_gib": round(memory.available / 1024**3, 1),
        "load": load(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }
    print("  ".join(f"{name}: {value}" for name, value in facts.items()), flush=True)
    return facts


def load() -> float:
    """Programs that wanted a core, over the last minute: more than there are cores, and times say little."""
    return round(os.getloadavg()[0], 1)


def median(figures: Sequence[float]) -> float:
    return statistics.median(figures)


def ffmpeg(*words: str) -> None:
    subprocess.run([ffmpeg_path(), "-nostdin", "-y", "-v", "error", *words], check=True)


def ffmpeg_path() -> str:
    return find_ffmpeg("")


def weights() -> Path:
    """The very files that biblio's own `base` is."""
    return locate("base", None, folder_is_model=True)


def join_sound(files: Sequence[Path], target: Path, seconds: float | None = None) -> None:
    """One sound, 16 kHz and one channel, of the files one after another; cut after `seconds`."""
    names = target.with_suffix(".txt")
    names.write_text("".join(f"file '{file.resolve()}'\n" for file in files), encoding="utf-8")
    cut = ("-t", f"{seconds}") if seconds else ()
    ffmpeg("-f", "concat", "-safe", "0", "-i", str(names), *cut, "-vn", "-ac", "1", "-ar", "16000", str(target))
    names.unlink()


def sample_talk() -> Path:
    return TALK


def _commit() -> str:
    changed = " and changes" if _git("status", "--porcelain", "src") else ""
    return _git("rev-parse", "--short", "HEAD") + changed


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
