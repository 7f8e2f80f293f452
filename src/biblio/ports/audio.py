"""Sound out of a video, and a picture to know it by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from biblio.ports.engine import Engine


class Source(Protocol):
    """A video's bytes, read where they lie."""

    size: int

    def read(self, start: int) -> Iterator[bytes]:
        """From byte `start` to the end. Closing the iterator ends the transfer. Raises like `Storage.read`."""


@dataclass(frozen=True)
class Sound:
    """`listening`: MP3 for people and services; `speech`: 16 kHz mono FLAC for engines here; `duration` in seconds."""

    listening: Path
    speech: Path
    duration: float


class AudioExtractor(Engine, Protocol):
    """- the sound of every accepted container comes out whole
    - times in the sound are times in the film
    - a video is read by ranges and never lies on disk as a whole
    - progress rises from 0 to 1
    - a video without sound is rejected as NO_AUDIO_TRACK
    - what is no video is rejected as UNREADABLE_MEDIA
    - a video that ends in the middle is rejected as UNREADABLE_MEDIA
    - a media file never makes anything read another file or the network
    - a picture shows what is seen in the film, and is small
    - a film without a picture that can be shown has none
    - what protection this system lacks is said in sentences
    - storage that dies half-way is unavailable, not unreadable media
    - a raise in the progress call stops the work at once and leaves no process
    """

    def shortcomings(self) -> list[str]:
        """What this system cannot protect from hostile media, and how to mend it; empty where all is closed."""

    def extract(self, source: Source, folder: Path, on_progress: Callable[[float], None]) -> Sound:
        """Write both sounds into `folder`, which is empty and the caller's; nothing is left there after a failure.

        `on_progress` is called at least every second, moving or not. Raises what `source` and `on_progress` raise,
        `Rejected` (codes NO_AUDIO_TRACK, UNREADABLE_MEDIA, TOO_LONG, MEDIA_TOO_COSTLY) and `Unavailable` (NO_SPACE…).
        """

    def picture(
        self, source: Source, folder: Path, seconds: float, on_progress: Callable[[float], None]
    ) -> Path | None:
        """Write a JPEG into `folder`, as of `extract`; None where nothing can be seen, or only at too high a cost.

        `seconds` is how long the film lasts. Raises what `source` and `on_progress` raise.
        """
