"""Sound and a picture of a video by FFmpeg, run as a program of its own: `ffmpeg://?binary=/usr/bin/ffmpeg&timeout=7200`.

storage ──read──▶ tape ──▶ relay ──HTTP on its loopback──▶ ffmpeg in its cage ──▶ listening.mp3, speech.flac; poster.jpg
                                                            └─ log, progress ──▶ report ──▶ watch, verdict
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from biblio.adapters.audio.binary import check_ffmpeg, find_ffmpeg
from biblio.adapters.audio.command import LISTENING, SPEECH, ffmpeg_command
from biblio.adapters.audio.picture import MOST_BYTES, PICTURE, picture_command
from biblio.adapters.audio.process import Process
from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.report import Report
from biblio.adapters.audio.riff import missing_bytes
from biblio.adapters.audio.sandbox import caged, demand_all, shortcomings
from biblio.adapters.audio.tape import Tape
from biblio.adapters.audio.verdict import check_whole, explain_failure
from biblio.adapters.audio.watch import Patience, Watch
from biblio.dsn import Dsn, Options
from biblio.errors import AdapterError, Rejected, Unavailable
from biblio.ports.audio import AudioExtractor, Sound, Source

RATE = 16_000  # of `speech`, in hertz
BYTES_A_SECOND = 48_000  # more than either sound ever takes
STACK = 2 * 1024**2  # bytes of each thread: what is not touched counts too
MAPPED = 2 * 1024**3  # for libraries and what the allocator sets aside; memory that is shared counts here alone
SPARE_BYTES = 16 * 1024**2

PLACES = ((0.1, True), (0.5, True), (0.1, False))
"""Where in a film a picture is looked for, as a share of it, and whether it has to be more than black."""
PICTURE_SECONDS = 20.0
PICTURE_CPU = 20
GIVEN_UP = {"EXTRACT_TIMEOUT", "EXTRACT_STALLED"}


class FfmpegOptions(Options):
    """`binary`: a path or name, else ffmpeg from imageio-ffmpeg, else from PATH. Times in seconds, memory in bytes.

    `sandbox`: whether to work where the system does not let us close the cage on all sides.
    """

    binary: str = ""
    threads: int = Field(default=1, ge=1, le=16)
    timeout: float = Field(default=4 * 3600, gt=0)
    stall: float = Field(default=60, gt=0)
    max_duration: float = Field(default=12 * 3600, gt=0)
    max_cpu: int = Field(default=1800, gt=0)
    max_memory: int = Field(default=512 * 1024**2, ge=256 * 1024**2)
    sandbox: Literal["auto", "required"] = "auto"


def connect(dsn: Dsn) -> AudioExtractor:
    return Ffmpeg(dsn.read_options(FfmpegOptions))


class Ffmpeg:
    def __init__(self, options: FfmpegOptions) -> None:
        self._options = options

    def prepare(self) -> None:
        self._check_sandbox()
        find_ffmpeg(self._options.binary)

    def ping(self) -> None:
        self._check_sandbox()
        check_ffmpeg(find_ffmpeg(self._options.binary))

    def shortcomings(self) -> list[str]:
        return shortcomings()

    def close(self) -> None:
        """Nothing outlives a call."""

    def extract(self, source: Source, folder: Path, on_progress: Callable[[float], None]) -> Sound:
        if source.size == 0:
            raise Rejected("The file is empty.", code="UNREADABLE_MEDIA")
        self._check_sandbox()
        on_progress(0.0)
        with _nothing_left_on_failure(folder), closing(Tape(source)) as tape:
            sound = self._extract(tape, folder, on_progress)
        on_progress(1.0)
        return sound

    def picture(
        self, source: Source, folder: Path, seconds: float, on_progress: Callable[[float], None]
    ) -> Path | None:
        self._check_sandbox()
        for share, telling in PLACES:
            with closing(Tape(source)) as tape:
                if not self._picture(tape, folder, seconds * share, telling, on_progress):
                    return None
            if (folder / PICTURE).stat().st_size:
                return folder / PICTURE
        return None

    def _extract(self, tape: Tape, folder: Path, on_progress: Callable[[float], None]) -> Sound:
        options, report = self._options, Report()
        longest = options.max_duration + 1  # a second more, to tell a film that is too long from one just short enough
        size = int(longest * BYTES_A_SECOND) + SPARE_BYTES
        told = partial(ffmpeg_command, seconds=longest, threads=options.threads)
        patience = Patience(stall=options.stall, timeout=options.timeout, longest=options.max_duration)
        with self._running(told, tape, folder, cpu=options.max_cpu, size=size) as (process, relay):
            watch = Watch(process, relay, report, on_progress, patience)
            missing = watch.during(lambda: missing_bytes(tape.read, tape.size))  # while ffmpeg starts and waits for us
            with relay:
                exit_code = process.follow(report, watch.look)
        if relay.failure is not None:
            raise relay.failure
        if exit_code != 0 or report.stopped:
            raise explain_failure(report, exit_code)
        seconds = _seconds_of(folder / SPEECH)
        check_whole(report, seconds, missing=missing, longest=options.max_duration)
        return Sound(listening=folder / LISTENING, speech=folder / SPEECH, duration=seconds)

    def _picture(
        self, tape: Tape, folder: Path, at: float, telling: bool, on_progress: Callable[[float], None]
    ) -> bool:
        """Whether ffmpeg was done with it; there is none in what it wrote where all was black."""
        options, report = self._options, Report()
        told = partial(picture_command, at=at, telling=telling, threads=options.threads)
        patience = Patience(min(options.stall, PICTURE_SECONDS), PICTURE_SECONDS, longest=options.max_duration)
        try:
            with self._running(told, tape, folder, cpu=PICTURE_CPU, size=MOST_BYTES) as (process, relay), relay:
                watch = Watch(process, relay, report, on_progress, patience)
                exit_code = process.follow(report, watch.look)
        except AdapterError as error:
            if error is tape.failure or not (isinstance(error, Rejected) or error.code in GIVEN_UP):
                raise
            return False
        if relay.failure is not None:
            raise relay.failure
        return exit_code == 0 and (folder / PICTURE).is_file()

    @contextmanager
    def _running(
        self, told: Callable[[str, str], list[str]], tape: Tape, folder: Path, *, cpu: int, size: int
    ) -> Iterator[tuple[Process, Relay]]:
        """ffmpeg in its cage, waiting for the film: `told` makes its command of its path and of the film's address."""
        path = f"/{secrets.token_urlsafe(24)}"
        command = told(find_ffmpeg(self._options.binary), f"http://127.0.0.1:{{port}}{path}")
        limits = {
            "CPU": cpu,
            "DATA": self._options.max_memory,
            "AS": self._options.max_memory + MAPPED,
            "STACK": STACK,
            "FSIZE": size,
            "NOFILE": 64,
            "CORE": 0,
        }
        caged_command = caged(command, limits, listen=True)
        with Process(caged_command, folder) as process, closing(process.listener()) as listener:
            yield process, Relay(tape, listener, path)

    def _check_sandbox(self) -> None:
        if self._options.sandbox == "required":
            demand_all()


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
