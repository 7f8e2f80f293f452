"""Speech to words with times."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from biblio.domain.hearing import HeardBy
from biblio.domain.transcript import Word
from biblio.ports.call import CallContext
from biblio.ports.engine import Engine


@dataclass(frozen=True)
class Heard:
    """The words of a stretch of sound that ends at `until` seconds. `language`: ISO 639-1, '' before any speech.

    `ends_piece`: a piece of at most ten minutes is complete, and hearing may go on from `until` at any later time.
    `by`: who heard it; None: the engine that was asked.
    """

    words: tuple[Word, ...]
    until: float
    language: str
    ends_piece: bool = False
    by: HeardBy | None = None


class SpeechEngine(Engine, Protocol):
    """- words come in the order of their times and inside the sound
    - silence gives no words
    - the language is detected when not given, and obeyed when given
    - an unknown language is invalid input UNKNOWN_LANGUAGE, before any work
    - an unknown model is invalid input UNKNOWN_MODEL, before any work
    - the same sound heard twice gives the same words
    - what is heard comes in order and the last of it ends with the sound
    - a piece is at most ten minutes long
    - going on after a piece gives what one run gives after it
    - closing the generator stops the work
    - what is no sound is rejected UNREADABLE_MEDIA
    """

    name: str

    def check(self, language: str | None, model: str | None) -> None:
        """Raises `InvalidInput` for a language or model that this engine does not have. Loads nothing."""

    def model_name(self, model: str | None) -> str:
        """The engine's own name of what it will use for `fast`, `high_quality`, None or a name of its own."""

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,
    ) -> Generator[Heard, None, None]:
        """Hear a FLAC or MP3 that our own extract step wrote, piece by piece, from `since` seconds on.

        `since` is 0 or the end of a piece; whoever goes on from there gives the language that was heard before it. The
        last piece ends where the sound ends; nothing comes after it. A service makes each call as `call` admits it, and
        takes up what `call` recalls. Closing the generator stops the work, but only
        between two `Heard`: a batch in the model (half a minute on a slow machine) and a call to a service run on.
        Raises `Rejected` UNREADABLE_MEDIA; `Misconfigured` where the model is missing or cannot run here; `Unavailable`
        OUT_OF_MEMORY.
        """
