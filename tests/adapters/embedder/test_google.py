"""Gemini's vectors by Vertex AI and by the Gemini API, through Google's own client library, against an emulator."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from biblio.adapters.embedder.google import connect
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.embedder import Embedder
from tests.adapters.embedder.services import ENGLISH, KOREAN, Turns
from tests.contracts.embedder import EmbedderContract, nearness
from tests.emulators.faults import CUT, DROP, LOSE, SLOW, Fault
from tests.emulators.gemini import KEY, PROJECT, GeminiEmulator, gemini_emulator
from tests.emulators.meaning import tokens_in

CALL = "POST .*"
ONE, MANY = ":embedContent", ":batchEmbedContents"


@pytest.fixture(scope="module")
def service() -> Iterator[GeminiEmulator]:
    with gemini_emulator() as service:
        yield service


@pytest.fixture(scope="module")
def embedder(service: GeminiEmulator) -> Iterator[Embedder]:
    embedder = connect(Dsn.parse(service.vertex))
    yield embedder
    embedder.close()


class TestGoogle(EmbedderContract):
    pass


class TestGeminiApi(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls, service: GeminiEmulator) -> Iterator[Embedder]:
        embedder = connect(Dsn.parse(service.by_key + "&dimension=1536"))
        yield embedder
        embedder.close()


@pytest.fixture
def place() -> Iterator[GeminiEmulator]:
    """An emulator that nobody else calls."""
    with gemini_emulator() as place:
        yield place


def embedder_at(place: GeminiEmulator, options: str = "") -> Embedder:
    return connect(Dsn.parse(place.vertex + options))


@pytest.mark.parametrize("dimension", [768, 1536, 3072])
def test_each_dimension_is_asked_for_and_of_unit_length(place: GeminiEmulator, dimension: int) -> None:
    embedder = embedder_at(place, f"&dimension={dimension}")
    vector = embedder.embed_question(ENGLISH)
    assert len(vector) == embedder.dimension == dimension
    assert nearness(vector, vector) == pytest.approx(1, abs=1e-6)
    assert embedder.space == f"google-gemini-embedding-001/{dimension}"


@pytest.mark.parametrize("by", ["vertex", "by_key"])
def test_documents_and_questions_are_told_apart(place: GeminiEmulator, by: str) -> None:
    embedder = connect(Dsn.parse(getattr(place, by) + "&texts_per_call=100"))
    embedder.embed_documents([ENGLISH, KOREAN])
    embedder.embed_documents([ENGLISH])
    embedder.embed_question(KOREAN)
    tasks = [call.asked["task"] for call in place.log]
    assert tasks == ["RETRIEVAL_DOCUMENT", "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"]


@pytest.mark.parametrize("by", ["vertex", "by_key"])
def test_many_texts_go_in_few_calls_and_come_back_in_order(place: GeminiEmulator, by: str) -> None:
    texts = [f"{ENGLISH} {number}" for number in range(230)]
    embedder = connect(Dsn.parse(getattr(place, by) + "&texts_per_call=100"))
    vectors = embedder.embed_documents(texts)
    calls = [call.asked["texts"] for call in place.answered(MANY)]
    assert [len(call) for call in calls] == [100, 100, 30], "as the service takes them"
    assert [text for call in calls for text in call] == texts
    for number in (0, 99, 100, 229):
        assert nearness(vectors[number], embedder.embed_documents([texts[number]])[0]) == pytest.approx(1, abs=1e-6)


def test_where_nothing_is_said_vertex_gets_one_text_a_call_and_who_has_a_key_many(place: GeminiEmulator) -> None:
    for address, sizes in ((place.vertex, [1, 1]), (place.by_key, [1, 1, 2])):
        embedder = connect(Dsn.parse(address))
        embedder.embed_documents([ENGLISH, KOREAN])
        assert [len(call.asked["texts"]) for call in place.log] == sizes
        assert embedder.texts_at_once == (1 if address == place.vertex else 100)


def test_long_texts_go_in_more_calls(place: GeminiEmulator) -> None:
    embedder_at(place, "&texts_per_call=100&tokens_per_call=1000").embed_documents([ENGLISH * 5] * 6)
    assert [len(call.asked["texts"]) for call in place.log] == [2, 2, 2]


def test_each_call_waits_for_its_turn(place: GeminiEmulator) -> None:
    turns = Turns()
    embedder = embedder_at(place, "&texts_per_call=1&calls_per_minute=9&tokens_per_minute=99&at_once=2")
    embedder.embed_documents([ENGLISH, KOREAN], call=turns)
    embedder.embed_question(KOREAN, call=turns)
    limit = RateLimit(f"embedder:google:{PROJECT}", calls=9, units=99, at_once=2)
    assert [asked for asked, _ in turns.asked] == [limit] * 3
    assert all(units >= call.units for (_, units), call in zip(turns.asked, place.log, strict=True))


def test_tokens_are_counted_as_billed(place: GeminiEmulator) -> None:
    embedder = embedder_at(place)
    embedder.embed_documents([ENGLISH, KOREAN])
    assert embedder.count_tokens([ENGLISH, KOREAN]) == tokens_in(ENGLISH) + tokens_in(KOREAN)
    embedder.embed_documents(["alone"])
    assert embedder.count_tokens(["alone"]) == tokens_in("alone")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(CALL, 429), RateLimited),
        (Fault(CALL, 500), Unavailable),
        (Fault(CALL, 503), Unavailable),
        (Fault(CALL, 504), Unavailable),
        (Fault(CALL, DROP), Unavailable),
        (Fault(CALL, LOSE), Unavailable),
        (Fault(CALL, CUT), Unavailable),
        (Fault(CALL, CUT, after=0), Unavailable),
        (Fault(CALL, 400), Rejected),
        (Fault(CALL, 400, body={"reason": "API_KEY_INVALID"}), Misconfigured),
        (Fault(CALL, 401), Misconfigured),
        (Fault(CALL, 403), Misconfigured),
        (Fault(CALL, 404), Misconfigured),
    ],
    ids=str,
)
@pytest.mark.parametrize("by", ["vertex", "by_key"])
def test_what_the_service_answers_becomes_our_error_after_one_call(
    place: GeminiEmulator, by: str, fault: Fault, kind: type[AdapterError]
) -> None:
    place.expect(Fault(fault.pattern, fault.status, body=fault.body, after=fault.after))
    embedder = connect(Dsn.parse(getattr(place, by)))
    with pytest.raises(kind) as refused:
        embedder.embed_question(ENGLISH)
    assert len(place.calls) == 1, "adapters never retry"
    assert KEY not in f"{refused.value.message} {refused.value!r} {refused.value.__cause__!r}"
    assert embedder.embed_question(ENGLISH)


@pytest.mark.parametrize(("header", "delay", "seconds"), [("7", None, 7), ("", 17, 17), ("7", 17, 7), ("", None, None)])
def test_retry_after_is_handed_on(place: GeminiEmulator, header: str, delay: int | None, seconds: float | None) -> None:
    place.retry_delay = delay
    place.expect(Fault(CALL, 429, headers={"Retry-After": header} if header else {}))
    with pytest.raises(RateLimited) as refused:
        embedder_at(place).embed_question(ENGLISH)
    assert refused.value.retry_after == seconds


def test_a_service_that_is_too_slow_is_given_up(place: GeminiEmulator) -> None:
    place.expect(Fault(CALL, SLOW, seconds=2.0))
    with pytest.raises(Unavailable, match="in time"):
        embedder_at(place, "&timeout=0.3").embed_question(ENGLISH)


def test_asking_whether_it_is_there_costs_nothing(place: GeminiEmulator) -> None:
    embedder_at(place).ping()
    assert [call.partition(" ")[0] for call in place.calls] == ["GET"]
    assert place.log[0].units == 0


def test_a_wrong_key_is_said_so(place: GeminiEmulator) -> None:
    with pytest.raises(Misconfigured, match="refuses these credentials"):
        connect(Dsn.parse(place.by_key.replace(KEY, "AIza-wrong"))).ping()


def test_a_key_shows_nowhere() -> None:
    dsn = Dsn.parse("google://?key=AIza-hidden")
    embedder = connect(dsn)
    assert "hidden" not in f"{dsn!r} {embedder!r} {vars(embedder)!r}"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("google://", "google://project/location"),
        ("google://talks", "google://project/location"),
        ("google://talks/us-central1?key=k", "not both"),
        ("google://talks/us-central1?dimension=512", "768, 1536, 3072"),
        ("google://talks/us-central1?model=gemini-embedding-01", "known are gemini-embedding-001"),
        ("google://talks/us-central1?dimensions=768", "Did you mean 'dimension'"),
        ("google://talks/us-central1?endpoint=http://elsewhere:80", "https://"),
        ("google://talks/us-central1?credentials=/nowhere.json", "no key file"),
    ],
)
def test_a_wrong_address_is_refused_at_start(address: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse(address))
    assert said in refused.value.message


def test_a_file_of_something_else_is_no_credentials(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"type": "service_account", "private_key": "hidden"}))
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse(f"google://talks/us-central1?credentials={file}"))
    assert "hidden" not in refused.value.message


def test_without_credentials_the_first_call_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(Misconfigured, match="log in with gcloud"):
        connect(Dsn.parse("google://talks/us-central1")).ping()
