"""What a service that speaks OpenAI's protocol does wrong, and addresses that are wrong."""

import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from biblio.adapters.openai.account import AccountOptions, client_of
from biblio.adapters.openai.errors import EMPTY_SECONDS
from biblio.adapters.speech.openai import connect
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from tests.adapters.speech.listening import engine_at, heard_by, words_in
from tests.contracts.speech import Spoken
from tests.emulators.faults import CUT, DROP, LOSE, SLOW, Fault
from tests.emulators.openai import KEY, TRANSCRIPTIONS, OpenaiEmulator, openai_emulator


@pytest.fixture
def place() -> Iterator[OpenaiEmulator]:
    with openai_emulator() as place:
        yield place


HOUR = 3600
IN_AN_HOUR = formatdate(time.time() + HOUR, usegmt=True)
"""From when the tests began."""
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
    [({"Retry-After": "7"}, 7, 7), ({"Retry-After": IN_AN_HOUR}, 1, HOUR), ({"Retry-After": "soon"}, None, None)],
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
