"""A speech service whose every piece is a call at the toll: the engine's shared part, without anybody's ears."""

from collections.abc import Callable, Generator
from pathlib import Path

from biblio.adapters.speech.pieces import Piece, Recognised, hear
from biblio.domain.rate_limit import RateLimit
from biblio.domain.transcript import Word
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.speech import Heard
from tests.emulators.toll import pay


class TollSpeech:
    """`longest` seconds of a piece, `parallel` of one sound at once."""

    name = "toll"

    def __init__(self, port: int, limit: RateLimit, *, longest: int = 600, parallel: int = 1) -> None:
        self._port, self._limit = port, limit
        self.longest, self.parallel = longest, parallel

    def prepare(self) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def check(self, language: str | None, model: str | None) -> None: ...

    def model_name(self, model: str | None) -> str:
        return "toll"

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,
    ) -> Generator[Heard, None, None]:
        return hear(self, audio, language, "toll", since, call or Unpaced())

    def recognise(
        self,
        piece: Piece,
        language: str | None,
        model: str,
        call: CallContext,
        on_progress: Callable[[float], None],
    ) -> Recognised:
        said = f"piece at {piece.start:.0f}."
        with call.admit(self._limit, piece.seconds):
            pay(self._port, "a video", said)
        words = tuple(Word(f" {text}", place, place + 0.5) for place, text in enumerate(said.split()))
        return Recognised(words, "en")
