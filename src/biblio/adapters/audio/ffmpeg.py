"""The sound of a video by FFmpeg, run as a program of its own: `ffmpeg://?binary=/usr/bin/ffmpeg&timeout=7200`.

storage ──read──▶ tape ──▶ relay ──HTTP on 127.0.0.1──▶ ffmpeg in its cage ──▶ listening.mp3, speech.flac
                                                          └─ log, progress ──▶ report ──▶ watch, verdict
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import Field

from biblio.adapters.audio.binary import check_ffmpeg, find_ffmpeg
from biblio.adapters.audio.command import LISTENING, SPEECH, caged, ffmpeg_command
from biblio.adapters.audio.process import Process
from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.report import Report
from biblio.adapters.audio.riff import missing_bytes
from biblio.adapters.audio.tape import Tape
from biblio.adapters.audio.verdict import check_whole, explain_failure
from biblio.adapters.audio.watch import Watch
from biblio.dsn import Dsn, Options
from biblio.errors import Rejected, Unavailable
from biblio.ports.audio import AudioExtractor, Sound, Source

RATE = 16_000  # of `speech`, in hertz
BYTES_A_SECOND = 48_000  # more than either sound ever takes
SPARE_BYTES = 16 * 1024**2


class FfmpegOptions(Options):
    """`binary`: a path or name, else ffmpeg from imageio-ffmpeg, else from PATH. Times in seconds, memory in bytes."""

    binary: str = ""
    threads: int = Field(default=1, ge=1, le=16)
    timeout: float = Field(default=4 * 3600, gt=0)
    stall: float = Field(default=60, gt=0)
    max_duration: float = Field(default=12 * 3600, gt=0)
    max_cpu: int = Field(default=1800, gt=0)
    max_memory: int = Field(default=1024**3, ge=256 * 1024**2)


def connect(dsn: Dsn) -> AudioExtractor:
    return Ffmpeg(dsn.read_options(FfmpegOptions))


class Ffmpeg:
    def __init__(self, options: FfmpegOptions) -> None:
        self._options = options

    def prepare(self) -> None:
        find_ffmpeg(self._options.binary)

    def ping(self) -> None:
        check_ffmpeg(find_ffmpeg(self._options.binary))

    def close(self) -> None:
        """Nothing outlives a call."""

    def extract(self, source: Source, folder: Path, on_progress: Callable[[float], None]) -> Sound:
        if source.size == 0:
            raise Rejected("The file is empty.", code="UNREADABLE_MEDIA")
        on_progress(0.0)
        tape = Tape(source)
        with _nothing_left_on_failure(folder), Relay(tape) as relay:
            sound = self._extract(relay, folder, on_progress)
        on_progress(1.0)
        return sound

    def _extract(self, relay: Relay, folder: Path, on_progress: Callable[[float], None]) -> Sound:
        report = Report()
        watch = Watch(relay, report, on_progress, stall=self._options.stall, timeout=self._options.timeout)
        missing = watch.during(lambda: missing_bytes(relay.tape.read, relay.tape.size))
        with Process(self._command(relay.url), folder) as process:
            exit_code = process.follow(report, watch.look)
        if relay.failure is not None:
            raise relay.failure
        if exit_code != 0 or report.stopped:
            raise explain_failure(report, exit_code)
        seconds = _seconds_of(folder / SPEECH)
        check_whole(report, seconds, missing=missing, longest=self._options.max_duration)
        return Sound(listening=folder / LISTENING, speech=folder / SPEECH, duration=seconds)

    def _command(self, url: str) -> list[str]:
        options = self._options
        longest = options.max_duration + 1  # a second more, to tell a film that is too long from one just short enough
        command = ffmpeg_command(find_ffmpeg(options.binary), url, seconds=longest, threads=options.threads)
        limits = {
            "CPU": options.max_cpu,
            "DATA": options.max_memory,
            "FSIZE": int(longest * BYTES_A_SECOND) + SPARE_BYTES,
            "NOFILE": 64,
            "CORE": 0,
        }
        return caged(command, limits, python=sys.executable, parent=os.getpid())


@contextmanager
def _nothing_left_on_failure(folder: Path) -> Iterator[None]:
    whole = False
    try:
        yield
        whole = True
    finally:
        if not whole:
            for name in (LISTENING, SPEECH):
                (folder / name).unlink(missing_ok=True)


def _seconds_of(speech: Path) -> float:
    """From the number of samples in the header of our own FLAC (36 bits that end at byte 26)."""
    header = b""
    with suppress(FileNotFoundError), speech.open("rb") as file:
        header = file.read(26)
    if len(header) < 26:
        # ffmpeg 9.0.2 calls it a success when it is told to stop before it has begun.
        raise Unavailable("ffmpeg ended before it wrote any sound.")
    return (int.from_bytes(header[18:26], "big") & (1 << 36) - 1) / RATE
