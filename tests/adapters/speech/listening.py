"""What tests of speech services have in common."""

from pathlib import Path

from biblio.adapters.speech.openai import connect
from biblio.domain.transcript import Word
from biblio.dsn import Dsn
from biblio.ports.call import Unpaced
from biblio.ports.speech import Heard, SpeechEngine
from tests.emulators.openai import OpenaiEmulator


def engine_at(place: OpenaiEmulator, options: str = "") -> SpeechEngine:
    return connect(Dsn.parse(place.speech + options))


def heard_by(engine: SpeechEngine, audio: Path, language: str | None = None) -> list[Heard]:
    return list(engine.transcribe(audio, language=language, model=None, call=Unpaced()))


def words_in(heard: list[Heard]) -> list[Word]:
    return [word for one in heard for word in one.words]
