"""Small films made on the spot, and places to read them from that can misbehave on order."""

import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

SECONDS = 4.0

# The coding of picture and sound in each accepted container.
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
CODINGS: dict[str, tuple[str, ...]] = {
    "mp4": (*_H264, "-c:a", "aac"),
    "mov": (*_H264, "-c:a", "pcm_s16le"),
    "avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "mkv": (*_H264, "-c:a", "libopus"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"),
    "m4v": (*_H264, "-c:a", "aac", "-f", "mp4"),
    "mp3": ("-vn", "-c:a", "libmp3lame"),
    "wav": ("-vn", "-c:a", "pcm_s16le"),
    "m4a": ("-vn", "-c:a", "aac"),
    "flac": ("-vn", "-c:a", "flac"),
}


def bundled_ffmpeg() -> str:
    """The path of the one in imageio-ffmpeg, which can write every coding above."""
    folder = resources.files("imageio_ffmpeg") / "binaries"
    return next(str(file) for file in folder.iterdir() if file.name.startswith("ffmpeg-"))


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([bundled_ffmpeg(), "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=120)


def make_film(
    path: Path,
    *extra: str,
    sound: str = "sine=440:r=44100",
    seconds: float = SECONDS,
    late: float = 0,
    size: str = "160x120",
) -> Path:
    """A moving test picture with `sound` that begins `late` seconds into it, in the container of `path`'s ending."""
    picture = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=10:d={seconds}")
    tone = ("-itsoffset", str(late), "-f", "lavfi", "-i", f"{sound}:d={seconds - late}")
    ffmpeg(*picture, *tone, *CODINGS[path.suffix[1:]], *extra, path)
    return path


def cut(path: Path, share: float = 0.6) -> bytes:
    """The first `share` of a film's bytes."""
    data = path.read_bytes()
    return data[: int(len(data) * share)]


class BytesSource:
    """Bytes in memory as a `Source`; counts what is read and which transfers are still open."""

    def __init__(self, data: bytes, *, piece: int = 64 * 1024, pause: float = 0.0) -> None:
        self.data, self.piece, self.pause = data, piece, pause
        self.size = len(data)
        self.starts: list[int] = []
        self.given = 0
        self.open = 0

    def read(self, start: int) -> Iterator[bytes]:
        self.starts.append(start)
        self.open += 1
        try:
            for at in range(start, self.size, self.piece):
                time.sleep(self.pause)
                piece = self.data[at : at + self.piece]
                self.given += len(piece)
                yield piece
        finally:
            self.open -= 1


class DyingSource(BytesSource):
    """Gives `share` of the bytes; then calls `die`, which raises, or (where it does not) simply ends."""

    def __init__(self, data: bytes, die: Callable[[], None], *, share: float = 0.5) -> None:
        super().__init__(data, piece=16 * 1024)
        self.die = die
        self.left = int(len(data) * share)

    def read(self, start: int) -> Iterator[bytes]:
        for piece in super().read(start):
            if self.given > self.left:
                self.die()
                return
            yield piece
