"""Tiny films, each with a sound of its own, so that whatever is paid for can be told by the sound; and what they
deserve."""

import io
import random
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

from biblio.adapters.registry import connect
from biblio.domain.transcript import sentences_of
from biblio.dsn import Dsn
from tests.chaos.storm.watched import POISON
from tests.contracts.films import ffmpeg, make_film

RATE = 8_000
LENGTHS = (1.9, 3.8, 7.8, 11.3, 47.0)
"""Seconds; the last has many sentences, the first hardly one."""


class Kind(StrEnum):
    SPEECH = "speech"
    SILENCE = "silence"
    BROKEN = "broken"
    MUTE = "mute"
    POISON = POISON


DESERVED = {Kind.BROKEN: "UNREADABLE_MEDIA", Kind.MUTE: "NO_AUDIO_TRACK", Kind.POISON: "WORKER_DIED"}
"""The code with which a film fails. The others are to be COMPLETED."""
SHARES = {Kind.SPEECH: 88, Kind.SILENCE: 4, Kind.BROKEN: 3, Kind.MUTE: 3, Kind.POISON: 2}
"""How often in 100 films."""


@dataclass(frozen=True)
class Film:
    number: int
    kind: Kind
    ending: str
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number}.{self.ending}"

    @property
    def title(self) -> str:
        return POISON if self.kind is Kind.POISON else self.name

    @property
    def deserves(self) -> str | None:
        return DESERVED.get(self.kind)


def draw_film(dice: random.Random, number: int) -> Film:
    kind = dice.choices(list(SHARES), list(SHARES.values()))[0]
    ending = dice.choice(("wav", "wav", "mp4")) if kind is Kind.SPEECH else "wav"
    return Film(number, kind, "mp4" if kind in (Kind.BROKEN, Kind.MUTE) else ending, dice.choice(LENGTHS))


def content(film: Film, folder: Path) -> bytes:
    """Its bytes; `folder` is for films that take a program to be made."""
    match film.kind:
        case Kind.BROKEN:
            whole = _made(folder / f"whole-{film.number}.mp4", film.seconds)
            return whole[: int(len(whole) * 0.4)]
        case Kind.MUTE:
            return _mute(folder / f"mute-{film.number}.mp4")
        case Kind.SILENCE:
            return _wave(film.seconds, 0.0, film.number)
    if film.ending == "mp4":
        return _made(folder / film.name, film.seconds, f"sine=f={_tone(film.number)}:r={RATE}")
    return _wave(film.seconds, 0.3, film.number)


@cache
def reference(kind: Kind, seconds: float) -> tuple[str, ...]:
    """The sentences that one run without any fault makes of such a film."""
    if kind is not Kind.SPEECH:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.flac"
        ffmpeg("-f", "lavfi", "-i", f"sine=f=440:r={RATE}:d={seconds}", "-ac", "1", path)
        speech = connect("speech", Dsn("scripted"))
        words = [word for heard in speech.transcribe(path, language=None, model=None) for word in heard.words]
    return tuple(sentence.text for sentence in sentences_of(words))


def _tone(number: int) -> int:
    return 200 + number % 3000


def _wave(seconds: float, loud: float, number: int) -> bytes:
    times = np.arange(int(seconds * RATE)) / RATE
    pulses = (loud * 32767 * np.sin(2 * np.pi * _tone(number) * times)).astype("<i2")
    # The number makes each sound its own; so softly that silence stays silence.
    pulses[:1024] = np.repeat([20 * (number >> bit & 1) for bit in range(16)], 64)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(pulses.tobytes())
    return file.getvalue()


def _made(path: Path, seconds: float, sound: str = "sine=440:r=8000") -> bytes:
    if not path.exists():
        make_film(path, seconds=seconds, sound=sound, size="64x48")
    return path.read_bytes()


def _mute(path: Path) -> bytes:
    if not path.exists():
        picture: Sequence[str] = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=2", "-pix_fmt", "yuv420p")
        ffmpeg(*picture, "-c:v", "libx264", "-preset", "ultrafast", path)
    return path.read_bytes()
