"""Google Speech, tested against an emulator: the contract, and what is its own."""

from collections.abc import Iterator

import pytest

from biblio.adapters.speech.google import connect
from biblio.dsn import Dsn
from biblio.ports.speech import SpeechEngine
from tests.contracts.speech import SpeechContract, Spoken
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.google_speech_state import GoogleSpeech


@pytest.fixture(scope="module")
def emulator() -> Iterator[GoogleSpeech]:
    with google_speech_emulator() as emulator:
        emulator.spoken = "en-US"
        yield emulator


@pytest.fixture(scope="module")
def engine(emulator: GoogleSpeech) -> Iterator[SpeechEngine]:
    engine = connect(Dsn.parse(emulator.address))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return english


class TestGoogle(SpeechContract):
    pass
