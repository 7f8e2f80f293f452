"""Vectors by a service that speaks OpenAI's protocol, through OpenAI's own client library, against an emulator."""

from collections.abc import Iterator

import pytest

from biblio.adapters.embedder.openai import connect
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.embedder import Embedder
from tests.adapters.embedder.services import ENGLISH, KOREAN, Turns
from tests.contracts.embedder import EmbedderContract, nearness
from tests.emulators.faults import CUT, DROP, LOSE, SLOW, Fault
from tests.emulators.meaning import tokens_in
from tests.emulators.openai import EMBEDDINGS, KEY, OpenaiEmulator, openai_emulator

CALL = f"POST {EMBEDDINGS}"


@pytest.fixture(scope="module")
def service() -> Iterator[OpenaiEmulator]:
    with openai_emulator() as service:
        yield service


@pytest.fixture(scope="module")
def embedder(service: OpenaiEmulator) -> Iterator[Embedder]:
    embedder = connect(Dsn.parse(service.embedder))
    yield embedder
    embedder.close()


class TestOpenai(EmbedderContract):
    pass


@pytest.fixture
def place() -> Iterator[OpenaiEmulator]:
    """An emulator that nobody else calls."""
    with openai_emulator() as place:
        yield place


def embedder_at(place: OpenaiEmulator, options: str = "") -> Embedder:
    return connect(Dsn.parse(place.embedder + options))


def test_many_texts_go_in_few_calls_and_come_back_in_order(place: OpenaiEmulator) -> None:
    texts = [f"{ENGLISH} {number}" for number in range(50)]
    embedder = embedder_at(place, "&texts_per_call=20&tokens_per_call=1000")
    vectors = embedder.embed_documents(texts)
    calls = [call.asked["texts"] for call in place.answered(EMBEDDINGS)]
    assert [text for call in calls for text in call] == texts
    assert [len(call) for call in calls] == [13, 13, 13, 11], "a thousand bytes"
    for number in (0, 12, 13, 49):
        assert nearness(vectors[number], embedder.embed_question(texts[number])) == pytest.approx(1, abs=1e-6)


def test_each_call_waits_for_its_turn(place: OpenaiEmulator) -> None:
    turns = Turns()
    embedder = embedder_at(place, "&texts_per_call=1&calls_per_minute=9&tokens_per_minute=99&at_once=2")
    embedder.embed_documents([ENGLISH, KOREAN], call=turns)
    embedder.embed_question(KOREAN, call=turns)
    limit = RateLimit(f"embedder:openai:127.0.0.1:{place.server_address[1]}", calls=9, units=99, at_once=2)
    assert [asked for asked, _ in turns.asked] == [limit] * 3
    assert all(units >= call.units for (_, units), call in zip(turns.asked, place.log, strict=True))


def test_tokens_are_counted_as_billed(place: OpenaiEmulator) -> None:
    embedder = embedder_at(place)
    embedder.embed_documents([ENGLISH, KOREAN])
    assert embedder.count_tokens([ENGLISH, KOREAN]) == tokens_in(ENGLISH) + tokens_in(KOREAN)


def test_a_shorter_dimension_is_asked_for(place: OpenaiEmulator) -> None:
    shorter, whole = embedder_at(place, "&dimension=512"), embedder_at(place, "&dimension=1536")
    assert [len(one.embed_question(ENGLISH)) for one in (shorter, whole)] == [512, 1536]
    assert [call.asked["dimensions"] for call in place.answered(EMBEDDINGS)] == [512, None]
    assert [one.space for one in (shorter, whole)] == [
        "openai-text-embedding-3-small/512",
        "openai-text-embedding-3-small/1536",
    ]


def test_a_dimension_that_is_not_so_is_said_so(place: OpenaiEmulator) -> None:
    with pytest.raises(Misconfigured, match="1536"):
        embedder_at(place, "&dimension=512&shorten=false").embed_question(ENGLISH)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(CALL, 429), RateLimited),
        (Fault(CALL, 429, body={"reason": "insufficient_quota"}), RateLimited),
        (Fault(CALL, 500), Unavailable),
        (Fault(CALL, 503), Unavailable),
        (Fault(CALL, DROP), Unavailable),
        (Fault(CALL, LOSE), Unavailable),
        (Fault(CALL, CUT), Unavailable),
        (Fault(CALL, 400), Rejected),
        (Fault(CALL, 401), Misconfigured),
        (Fault(CALL, 404), Misconfigured),
    ],
    ids=str,
)
def test_what_the_service_answers_becomes_our_error_after_one_call(
    place: OpenaiEmulator, fault: Fault, kind: type[AdapterError]
) -> None:
    place.expect(fault)
    with pytest.raises(kind) as refused:
        embedder_at(place).embed_question(ENGLISH)
    assert len(place.calls) == 1, "adapters never retry"
    assert KEY not in f"{refused.value.message} {refused.value!r} {refused.value.__cause__!r}"
    assert embedder_at(place).embed_question(ENGLISH)


@pytest.mark.parametrize(("headers", "seconds"), [({"Retry-After": "7"}, 7), ({}, None)], ids=["told", "untold"])
def test_retry_after_is_handed_on(place: OpenaiEmulator, headers: dict[str, str], seconds: float | None) -> None:
    place.expect(Fault(CALL, 429, headers=headers))
    with pytest.raises(RateLimited) as refused:
        embedder_at(place).embed_question(ENGLISH)
    assert refused.value.retry_after == seconds


def test_a_service_that_is_too_slow_is_given_up(place: OpenaiEmulator) -> None:
    place.expect(Fault(CALL, SLOW, seconds=2.0))
    with pytest.raises(Unavailable, match="in time"):
        embedder_at(place, "&timeout=0.3").embed_question(ENGLISH)


def test_asking_whether_it_is_there_costs_nothing(place: OpenaiEmulator) -> None:
    embedder_at(place).ping()
    assert place.calls == ["GET /v1/models"]
    with pytest.raises(Misconfigured, match="no model 'bge-m3'"):
        connect(Dsn.parse(f"{place.address}?model=bge-m3&dimension=1024")).ping()


def test_a_server_that_does_not_list_its_models_embeds_a_word(place: OpenaiEmulator) -> None:
    place.expect(Fault("GET /v1/models", 404, times=3))
    embedder_at(place).ping()
    assert place.answered(EMBEDDINGS)[0].asked["texts"] == ["ping"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("openai://:k@h/v1", "model"),
        ("openai://:k@h/v1?model=bge-m3", "needs the 'dimension'"),
        ("openai://:k@h/v1?model=text-embedding-3-small&dimensions=5", "Did you mean 'dimension'"),
        ("openai://:k@h/v1?model=text-embedding-3-small&texts_per_call=3000", "texts_per_call"),
    ],
)
def test_a_wrong_address_is_refused_at_start(address: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse(address))
    assert said in refused.value.message
