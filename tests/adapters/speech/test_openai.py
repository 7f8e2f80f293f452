"""Speech by a service that speaks OpenAI's protocol, through OpenAI's own client library, against an emulator."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from email.utils import formatdate
from pathlib import Path

import pytest

from biblio.adapters.openai.account import AccountOptions, client_of
from biblio.adapters.openai.errors import EMPTY_SECONDS
from biblio.adapters.speech.openai import connect
from biblio.domain.rate_limit import RateLimit
from biblio.domain.transcript import Word
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.call import Unpaced
from biblio.ports.speech import Heard, SpeechEngine
from tests.adapters.speech.sounds import ffmpeg
from tests.contracts.speech import SpeechContract, Spoken
from tests.emulators.faults import CUT, DROP, LOSE, SLOW, Fault
from tests.emulators.hearing import LOWEST, STEP, whisper
from tests.emulators.openai import KEY, PLAIN_SPEECH, TRANSCRIPTIONS, OpenaiEmulator, openai_emulator

TONES = 40


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


def engine_at(place: OpenaiEmulator, options: str = "") -> SpeechEngine:
    return connect(Dsn.parse(place.speech + options))


def heard_by(engine: SpeechEngine, audio: Path, language: str | None = None) -> list[Heard]:
    return list(engine.transcribe(audio, language=language, model=None, call=Unpaced()))


def words_in(heard: list[Heard]) -> list[Word]:
    return [word for one in heard for word in one.words]


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


HTTP_DATE = formatdate(time.time() + 100, usegmt=True)
CALL = f"POST {TRANSCRIPTIONS}"


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(CALL, 429), RateLimited, "RATE_LIMITED"),
        (Fault(CALL, 429, body={"reason": "insufficient_quota"}), RateLimited, "QUOTA_EXHAUSTED"),
        (Fault(CALL, 500), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, 503), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, 408), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, DROP), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, LOSE), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, CUT), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, CUT, after=0), Unavailable, "ENGINE_UNAVAILABLE"),
        (Fault(CALL, 400), Rejected, "ENGINE_REJECTED"),
        (Fault(CALL, 401), Misconfigured, "MISCONFIGURED"),
        (Fault(CALL, 403), Misconfigured, "MISCONFIGURED"),
        (Fault(CALL, 404, body={"reason": "model_not_found"}), Misconfigured, "MISCONFIGURED"),
        (Fault(CALL, 413), Misconfigured, "MISCONFIGURED"),
    ],
    ids=str,
)
def test_what_the_service_answers_becomes_our_error_after_one_call(
    place: OpenaiEmulator, english: Spoken, fault: Fault, kind: type[AdapterError], code: str
) -> None:
    place.expect(fault)
    with pytest.raises(kind) as refused:
        heard_by(engine_at(place), english.audio)
    assert refused.value.code == code
    if code == "QUOTA_EXHAUSTED":
        assert refused.value.details["retry_after"] == EMPTY_SECONDS
    assert len(place.calls) == 1, "adapters never retry"
    assert KEY not in f"{refused.value.message} {refused.value!r} {refused.value.__cause__!r}"
    assert words_in(heard_by(engine_at(place), english.audio)), "and the next call goes well"


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [({"Retry-After": "7"}, 7, 7), ({"Retry-After": HTTP_DATE}, 1, 100), ({"Retry-After": "soon"}, None, None)],
    ids=["seconds", "date", "nonsense"],
)
def test_retry_after_is_handed_on(
    place: OpenaiEmulator, english: Spoken, headers: dict[str, str], least: float | None, most: float | None
) -> None:
    place.expect(Fault(CALL, 429, headers=headers))
    with pytest.raises(RateLimited) as refused:
        heard_by(engine_at(place), english.audio)
    after = refused.value.retry_after
    assert after is None if least is None or most is None else after is not None and least <= after <= most


def test_a_service_that_is_too_slow_is_given_up(place: OpenaiEmulator, english: Spoken) -> None:
    place.expect(Fault(CALL, SLOW, seconds=2.0))
    with pytest.raises(Unavailable) as refused:
        heard_by(engine_at(place, "&timeout=0.3"), english.audio)
    assert "in time" in refused.value.message


def test_a_service_that_is_not_there_is_unavailable(english: Spoken) -> None:
    with openai_emulator() as gone:
        address = gone.speech
    with pytest.raises(Unavailable):
        heard_by(connect(Dsn.parse(address)), english.audio)


def test_what_was_heard_before_a_failure_is_kept(place: OpenaiEmulator, scale: Path) -> None:
    """Whoever goes on from the last piece hears the rest and nothing twice."""
    engine, words, until, failures = engine_at(place, "&longest=6&parallel=2"), list[Word](), 0.0, 0
    while until < TONES:
        try:
            for heard in engine.transcribe(scale, language="en", model=None, since=until):
                words += heard.words
                until = heard.until if heard.ends_piece else until
                if heard.ends_piece and failures < 3:
                    place.expect(Fault(CALL, 500 if failures else 429))
        except (Unavailable, RateLimited):
            failures += 1
            place.faults.clear()
    assert failures == 3
    assert [word.text.strip(" ,") for word in words] == [f"en{number}" for number in range(TONES)]


def test_real_speech_comes_through_word_for_word(english: Spoken) -> None:
    """The recogniser of a laptop behind the protocol: bare words and a text become what it said itself."""
    with openai_emulator(ear=whisper) as place:
        words = words_in(heard_by(engine_at(place), english.audio))
    heard, language = whisper(english.audio.read_bytes(), None)
    assert language == "en"
    assert [word.text for word in words] == [word.text for word in heard]
    assert [word.start for word in words] == pytest.approx([word.start for word in heard])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("openai://api.openai.com/v1", "model"),
        ("openai:///v1?model=whisper-1", "needs a host"),
        ("openai://sk-hidden@api.openai.com/v1?model=whisper-1", "behind a colon"),
        ("openai://api.openai.com/v1?model=whisper-1", "needs a key"),
        ("openai://:k@h/v1?model=m&longest=601", "longest"),
        ("openai://:k@h/v1?model=m&modle=x", "Did you mean 'model'"),
    ],
)
def test_a_wrong_address_is_refused_at_start(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse(address))
    assert said in refused.value.message
    assert "hidden" not in refused.value.message


@pytest.mark.parametrize(
    ("address", "called"),
    [
        ("openai://:k@api.openai.com/v1?model=m", "https://api.openai.com/v1/"),
        ("openai://:k@speech.example:8000?model=m", "https://speech.example:8000/v1/"),
        ("openai://speech.example/audio/v1?model=m&tls=false", "http://speech.example/audio/v1/"),
        ("openai://127.0.0.1:8000/v1?model=m", "http://127.0.0.1:8000/v1/"),
        ("openai://localhost:8000/v1?model=m", "http://localhost:8000/v1/"),
        ("openai://[::1]:8000/v1?model=m&tls=true", "https://[::1]:8000/v1/"),
    ],
)
def test_only_this_machine_is_called_without_tls_unless_the_address_says_so(address: str, called: str) -> None:
    dsn = Dsn.parse(address)
    assert str(client_of(dsn, dsn.read_options(AccountOptions)).base_url) == called


def test_a_key_shows_nowhere() -> None:
    for address in ("openai://:sk-hidden@h/v1?model=m", "openai://h/v1?model=m&key=sk-hidden"):
        dsn = Dsn.parse(address)
        engine = connect(dsn)
        assert "hidden" not in f"{dsn!r} {engine!r} {vars(engine)!r}"


def test_a_wrong_key_is_said_so(place: OpenaiEmulator) -> None:
    with pytest.raises(Misconfigured, match="refuses this key"):
        connect(Dsn.parse(place.speech.replace(KEY, "sk-wrong"))).ping()


def test_fast_and_high_quality_mean_what_the_address_says() -> None:
    engine = connect(Dsn.parse("openai://h/v1?model=m&fast=small&high_quality=large"))
    assert [engine.model_name(name) for name in (None, "fast", "high_quality", "large")] == [
        "m",
        "small",
        "large",
        "large",
    ]
