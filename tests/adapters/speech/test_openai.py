"""Speech by a service that speaks OpenAI's protocol, through OpenAI's own client library, against an emulator."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from biblio.adapters.speech.openai import connect
from biblio.domain.rate_limit import RateLimit
from biblio.domain.transcript import Word
from biblio.dsn import Dsn
from biblio.errors import RateLimited, Unavailable
from biblio.ports.call import Unpaced
from biblio.ports.speech import SpeechEngine
from tests.adapters.speech.listening import engine_at, heard_by, words_in
from tests.adapters.speech.sounds import ffmpeg
from tests.contracts.speech import SpeechContract, Spoken
from tests.emulators.faults import Fault
from tests.emulators.hearing import LOWEST, STEP, whisper
from tests.emulators.openai import PLAIN_SPEECH, TRANSCRIPTIONS, OpenaiEmulator, openai_emulator

TONES = 40
POST = f"POST {TRANSCRIPTIONS}"


@pytest.fixture(scope="module")
def service() -> Iterator[OpenaiEmulator]:
    with openai_emulator() as service:
        yield service


@pytest.fixture(scope="module")
def engine(service: OpenaiEmulator) -> Iterator[SpeechEngine]:
    engine = connect(Dsn.parse(service.speech))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return english


class TestOpenai(SpeechContract):
    pass


@pytest.fixture
def place() -> Iterator[OpenaiEmulator]:
    """An emulator that nobody else calls."""
    with openai_emulator() as place:
        yield place


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tone after tone, each of its own pitch, half a second of every second."""
    file = tmp_path_factory.mktemp("scale") / "scale.flac"
    pitch = f"sin(2*PI*({LOWEST}+{STEP}*floor(t))*t)*lt(mod(t\\,1)\\,0.5)*gte(mod(t\\,1)\\,0.1)*0.4"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc={pitch}:s=16000:d={TONES}", "-ac", "1", file)
    return file


class Turns(Unpaced):
    """Notes which turns were asked for, and how many were taken at once."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[RateLimit, float]] = []

    def admit(self, limit: RateLimit, units: float) -> AbstractContextManager[None]:
        self.asked.append((limit, units))
        return super().admit(limit, units)


def test_pieces_are_heard_side_by_side_and_joined_without_a_lost_or_doubled_word(
    place: OpenaiEmulator, scale: Path
) -> None:
    place.delay = 0.05
    heard = heard_by(engine_at(place, "&longest=6&parallel=3"), scale, language="en")
    words = words_in(heard)
    assert [word.text.strip(" ,") for word in words] == [f"en{number}" for number in range(TONES)]
    for number, word in enumerate(words):
        assert number <= word.start < word.end <= number + 0.6
    assert sum(one.ends_piece for one in heard) == len(place.answered(TRANSCRIPTIONS)) >= TONES / 6
    assert place.most_under_way == 3


def test_until_the_language_is_known_one_piece_goes_alone(place: OpenaiEmulator, scale: Path) -> None:
    heard = heard_by(engine_at(place, "&longest=6"), scale)
    assert len(words_in(heard)) == TONES
    asked = [call.asked["language"] for call in place.answered(TRANSCRIPTIONS)]
    assert asked == [None] + ["en"] * (len(asked) - 1)


def test_each_call_waits_for_its_turn(place: OpenaiEmulator, scale: Path) -> None:
    turns = Turns()
    engine = engine_at(place, "&longest=15&calls_per_minute=50&seconds_per_minute=600&at_once=2")
    list(engine.transcribe(scale, language="en", model=None, call=turns))
    limits = {limit for limit, _ in turns.asked}
    port = place.server_address[1]
    assert limits == {RateLimit(f"speech:openai:127.0.0.1:{port}", calls=50, units=600, at_once=2)}
    assert sum(seconds for _, seconds in turns.asked) == pytest.approx(TONES)


def test_words_keep_the_punctuation_of_the_text(place: OpenaiEmulator, scale: Path) -> None:
    words = words_in(heard_by(engine_at(place), scale, "en"))
    assert "".join(word.text for word in words).startswith(" en0 en1 en2 en3, en4 en5")


def test_a_server_without_word_times_has_its_segments_shared_out(place: OpenaiEmulator, scale: Path) -> None:
    place.tells_words = False
    for options in ("", "&word_times=false"):
        words = words_in(heard_by(engine_at(place, options), scale, "en"))
        assert [word.text.strip(" ,") for word in words] == [f"en{number}" for number in range(TONES)]
        assert all(abs(word.start - number) < 2 for number, word in enumerate(words))


def test_a_model_that_tells_only_text_is_given_short_pieces(place: OpenaiEmulator, scale: Path) -> None:
    engine = connect(Dsn.parse(f"{place.address}?model={PLAIN_SPEECH}&format=json"))
    words = words_in(heard_by(engine, scale, "en"))
    assert [word.text.strip(" ,") for word in words] == [f"en{number}" for number in range(TONES)]
    assert len(place.answered(TRANSCRIPTIONS)) == 2
    detected = heard_by(engine, scale)
    assert {one.language for one in detected if one.words} == {"en"}


def test_a_piece_is_never_larger_than_the_service_takes(place: OpenaiEmulator, scale: Path) -> None:
    heard_by(engine_at(place, "&max_bytes=400000"), scale, "en")
    calls = place.answered(TRANSCRIPTIONS)
    assert len(calls) >= 4
    assert all(call.asked["bytes"] <= 400_000 for call in calls)


def test_what_was_heard_before_a_failure_is_kept(place: OpenaiEmulator, scale: Path) -> None:
    """Whoever goes on from the last piece hears the rest and nothing twice."""
    engine, words, until, failures = engine_at(place, "&longest=6&parallel=2"), list[Word](), 0.0, 0
    while until < TONES:
        try:
            for heard in engine.transcribe(scale, language="en", model=None, since=until):
                words += heard.words
                until = heard.until if heard.ends_piece else until
                if heard.ends_piece and failures < 3:
                    place.expect(Fault(POST, 500 if failures else 429))
        except (Unavailable, RateLimited):
            failures += 1
            place.faults.clear()
    assert failures == 3
    assert [word.text.strip(" ,") for word in words] == [f"en{number}" for number in range(TONES)]


def test_a_busy_service_loses_and_doubles_nothing(place: OpenaiEmulator, scale: Path) -> None:
    place.busy = 0.3
    engine, words, until, refusals = engine_at(place, "&longest=3&parallel=3"), list[Word](), 0.0, 0
    while until < TONES:
        try:
            for heard in engine.transcribe(scale, language="en", model=None, since=until):
                words += heard.words
                until = heard.until if heard.ends_piece else until
        except RateLimited:
            refusals += 1
    assert refusals
    assert [word.text.strip(" ,") for word in words] == [f"en{number}" for number in range(TONES)]


def test_real_speech_comes_through_word_for_word(english: Spoken) -> None:
    """The recogniser of a laptop behind the protocol: bare words and a text become what it said itself."""
    heard: list[Word] = []

    def ear(file: bytes, language: str | None) -> tuple[list[Word], str]:
        words, spoken = whisper(file, language)
        heard.extend(words)
        return words, spoken

    with openai_emulator(ear) as place:
        pieces = heard_by(engine_at(place), english.audio)
    assert {one.language for one in pieces if one.words} == {"en"}
    assert [word.text for word in words_in(pieces)] == [word.text for word in heard] != []
    assert [word.start for word in words_in(pieces)] == pytest.approx([word.start for word in heard])


def test_no_more_pieces_are_sent_side_by_side_than_may_be(place: OpenaiEmulator) -> None:
    engines = [engine_at(place, f"&parallel={asked}&at_once=2") for asked in (1, 4)]
    assert [vars(engine)["parallel"] for engine in engines] == [1, 2]
