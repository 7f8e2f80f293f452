"""Ears for emulators of speech services: what they hear depends on the sound alone, so that nothing can be lost unseen.

`tones` names the pitch of every tone, and makes some word or other of real speech. `whisper` is the real recogniser.
"""

import io
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import cycle
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from biblio.adapters.speech.whisper import connect
from biblio.domain.transcript import Word
from biblio.dsn import Dsn
from biblio.ports.speech import SpeechEngine

RATE = 16_000
LOWEST, STEP = 400, 20
"""Hertz: tone number n has LOWEST + n * STEP."""
_WINDOW = RATE // 20
_LOUD = 0.02
_LONGEST = 12
"""Windows of one word."""

Samples = npt.NDArray[np.float32]
Ear = Callable[[bytes, str | None], tuple[list[Word], str]]
"""A file and the language that was asked for, to words with the blank before them, and the language heard."""


def tones(file: bytes, language: str | None) -> tuple[list[Word], str]:
    samples = decoded(file)
    words = [
        Word(f" {language or 'tone'}{_pitch(samples[round(start * RATE) : round(end * RATE)])}{mark}", start, end)
        for (start, end), mark in zip(_loud(samples), cycle(["", "", "", ","]), strict=False)
    ]
    return words, language or ("en" if words else "")


def whisper(file: bytes, language: str | None) -> tuple[list[Word], str]:
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "piece.flac"
        audio.write_bytes(file)
        heard = list(_whisper().transcribe(audio, language=language, model=None))
    return [word for one in heard for word in one.words], heard[-1].language


@cache
def _whisper() -> SpeechEngine:
    return connect(Dsn.parse("whisper://base"))


def decoded(file: bytes) -> Samples:
    """-1..1, at RATE; what services are sent has that rate, and one channel."""
    with av.open(io.BytesIO(file), "r") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    pulses = np.concatenate(frames) if frames else np.zeros(0, np.int16)
    return pulses.astype(np.float32) / np.float32(32768)


def seconds_of(file: bytes) -> float:
    with av.open(io.BytesIO(file), "r") as container:
        return (container.duration or 0) / av.time_base


def _loud(samples: Samples) -> list[tuple[float, float]]:
    """Start and end in seconds of each stretch that is no pause."""
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    is_loud = np.abs(windows).max(axis=1) > _LOUD
    found: list[tuple[float, float]] = []
    begun: int | None = None
    for number, loud in enumerate([*is_loud, False]):
        if begun is not None and (not loud or number - begun == _LONGEST):
            found.append((begun * _WINDOW / RATE, number * _WINDOW / RATE))
            begun = None
        if loud and begun is None:
            begun = number
    return found


def _pitch(samples: Samples) -> int:
    """The number of the tone."""
    size = 1 << 15
    loudest = float(np.abs(np.fft.rfft(samples, size)).argmax()) * RATE / size
    return abs(round((loudest - LOWEST) / STEP))
