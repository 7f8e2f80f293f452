"""The sound our own extract step wrote, as recognisers want it: 16 kHz, one channel, in bounded stretches."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from biblio.errors import Rejected

RATE = 16_000
"""Samples a second."""
LONGEST = 10 * 60
"""Seconds of one stretch: the most that a crash costs. faster-whisper takes 12 MB for each minute given at once."""
SEARCHED = 60
"""Seconds at the end of a full stretch in which the quietest moment is looked for."""
SILENCE = 0.001
"""Loudness (of 1) up to which a stretch is silence, and not worth hearing."""
_WINDOW = RATE // 10
_QUIET_WINDOWS = 5

Samples = npt.NDArray[np.float32]
_Pulses = npt.NDArray[np.int16]


def stretches(audio: Path, longest: int = LONGEST, since: float = 0.0) -> Iterator[tuple[float, Samples]]:
    """Start in seconds and samples (-1..1) of each stretch, cut at the quietest moment of its last minute.

    A sound no longer than `longest` seconds is one stretch, sample for sample what faster-whisper itself decodes.
    `since` is the start of one of them: a cut depends only on what follows the cut before, so the same ones come again.
    Raises `Rejected` UNREADABLE_MEDIA for what is no FLAC or MP3, or is damaged.
    """
    start, held, size = round(since * RATE), list[_Pulses](), 0
    for block in _without(_blocks(audio), start):
        held.append(block)
        size += len(block)
        if size > longest * RATE:
            joined = np.concatenate(held)
            cut = _quietest(joined, longest * RATE)
            held, size = [joined[cut:].copy()], size - cut
            yield start / RATE, _samples(joined[:cut])
            start += cut
    if size:
        rest = np.concatenate(held)
        held.clear()
        yield start / RATE, _samples(rest)


def end_of(start: float, samples: Samples) -> float:
    """Where a stretch ends, in seconds: the very number with which the next one starts."""
    return (round(start * RATE) + len(samples)) / RATE


def is_silent(samples: Samples) -> bool:
    return float(np.abs(samples).max()) <= SILENCE


def length_of(audio: Path) -> float:
    """Seconds. Raises as `stretches`."""
    try:
        with av.open(str(audio), format=_container(audio), metadata_errors="ignore") as container:
            stated = container.duration
    except av.FFmpegError as error:
        raise Rejected(f"The extracted sound cannot be read: {error}.", code="UNREADABLE_MEDIA") from error
    return stated / av.time_base if stated else sum(len(block) for block in _blocks(audio)) / RATE


def _blocks(audio: Path) -> Iterator[_Pulses]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        with av.open(str(audio), format=_container(audio), metadata_errors="ignore") as container:
            for frame in container.decode(audio=0):
                frame.pts = None  # Time stamps of MP3 frames jitter; the samples follow each other all the same.
                yield from (piece.to_ndarray()[0] for piece in resampler.resample(frame))
            yield from (piece.to_ndarray()[0] for piece in resampler.resample(None))
    except (av.FFmpegError, IndexError) as error:
        raise Rejected(f"The extracted sound cannot be read: {error}.", code="UNREADABLE_MEDIA") from error


def _without(blocks: Iterator[_Pulses], skipped: int) -> Iterator[_Pulses]:
    """What follows the first `skipped` samples. Three hours are decoded in 2 s: a seek would save little."""
    for block in blocks:
        if len(block) > skipped:
            yield block[skipped:]
        skipped = max(0, skipped - len(block))


def _container(audio: Path) -> str:
    """The only two demuxers that may see the file: a play list under a sound's name would read other files."""
    with audio.open("rb") as file:
        head = file.read(4)
    if head == b"fLaC":
        return "flac"
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
        return "mp3"
    raise Rejected("The extracted sound is neither FLAC nor MP3.", code="UNREADABLE_MEDIA")


def _quietest(pulses: _Pulses, longest: int) -> int:
    """Where to cut: the middle of the quietest half second before `longest` samples."""
    first = max(longest - SEARCHED * RATE, longest // 2)
    windows = pulses[first : longest - (longest - first) % _WINDOW].reshape(-1, _WINDOW)
    loudness = np.square(windows, dtype=np.float32).mean(axis=1)
    smooth = np.convolve(loudness, np.ones(_QUIET_WINDOWS), mode="valid")
    return first + (int(smooth.argmin()) * 2 + _QUIET_WINDOWS) * _WINDOW // 2


def _samples(pulses: _Pulses) -> Samples:
    samples = pulses.astype(np.float32)
    samples /= 32768.0
    return samples
