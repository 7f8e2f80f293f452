"""Sounds for Google Speech, and what is heard in them."""

from collections.abc import Callable
from pathlib import Path

from biblio.adapters.speech.google import connect
from biblio.domain.transcript import Word
from biblio.dsn import Dsn
from biblio.errors import Unavailable
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.speech import Heard
from tests.adapters.speech.sounds import ffmpeg


def loud(path: Path, seconds: int) -> Path:
    """Always something, and most of it different."""
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc=0.5*sin(200*t*t):s=16000:d={seconds}", path)
    return path


def tones(path: Path, seconds: int) -> Path:
    """Another tone every second: for an ear that tells them apart."""
    tone = "0.5*sin(2*PI*(400+20*floor(t))*t)*lt(mod(t\\,1)\\,0.6)"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc={tone}:s=16000:d={seconds}", path)
    return path


def run(
    address: str, audio: Path, *, language: str | None = None, since: float = 0.0, call: CallContext | None = None
) -> list[Heard]:
    engine = connect(Dsn.parse(address))
    try:
        return list(engine.transcribe(audio, language=language, model=None, since=since, call=call))
    finally:
        engine.close()


def words(heard: list[Heard]) -> list[Word]:
    return [word for one in heard for word in one.words]


def ends(heard: list[Heard]) -> list[float]:
    return [one.until for one in heard if one.ends_piece]


class Dying(Unpaced):
    """A worker that dies when it is to note a name for the `last`th time; and what it had noted, for the next."""

    def __init__(self, last: int, before: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._left, self._before = last, before

    def note(self, name: str, value: str) -> None:
        self._left -= 1
        if self._left == 0:
            self._before()
            raise Unavailable("The worker died.")
        super().note(name, value)
