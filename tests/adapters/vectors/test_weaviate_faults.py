"""What becomes of a Weaviate that misbehaves: one call, one error of ours, and nothing secret or said in it."""

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import grpc
import pytest

from biblio.adapters.vectors.weaviate import WeaviateStore, connect
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.vectors import Owner, VectorRecord
from tests.chaos.fault_proxy import FaultProxy, Link
from tests.contracts.catalog_suite import eventually
from tests.emulators.faults import CUT, DROP, SLOW, Fault
from tests.emulators.weaviate import KEY, MESSAGE, Weaviate, running_weaviate, weaviate_emulator
from tests.emulators.weaviate_grpc import Trouble

DIMENSION = 8
QUESTION = [1.0] * DIMENSION
Code = grpc.StatusCode


@pytest.fixture(scope="module")
def weaviate() -> Iterator[Weaviate]:
    with running_weaviate() as emulator:
        yield emulator


@pytest.fixture
def store(weaviate: Weaviate) -> Iterator[WeaviateStore]:
    """Connected for the first time in each test, and nothing is ordered any more."""
    weaviate.faults.clear()
    weaviate.servicer.troubles.clear()
    store = connect(_dsn(weaviate.address))
    store.prepare()
    yield store
    store.close()


@pytest.mark.parametrize(
    ("code", "details", "kind", "reason"),
    [
        (Code.UNAUTHENTICATED, "who?", Misconfigured, "MISCONFIGURED"),
        (Code.PERMISSION_DENIED, "no", Misconfigured, "MISCONFIGURED"),
        (Code.UNKNOWN, "extract auth: unauthorized: invalid api key", Misconfigured, "MISCONFIGURED"),
        (Code.UNIMPLEMENTED, "unknown service", Misconfigured, "MISCONFIGURED"),
        (Code.INVALID_ARGUMENT, "what?", Rejected, "ENGINE_REJECTED"),
        (Code.FAILED_PRECONDITION, "no", Rejected, "ENGINE_REJECTED"),
        (Code.UNKNOWN, "vector lengths don't match: 8 vs 7", Rejected, "BAD_VECTOR"),
        (Code.RESOURCE_EXHAUSTED, "memory pressure", RateLimited, "RATE_LIMITED"),
        (Code.UNAVAILABLE, "server is in maintenance mode", Unavailable, "ENGINE_UNAVAILABLE"),
        (Code.DEADLINE_EXCEEDED, "late", Unavailable, "ENGINE_UNAVAILABLE"),
        (Code.INTERNAL, "oops", Unavailable, "ENGINE_UNAVAILABLE"),
        (Code.UNKNOWN, "store is read-only", Unavailable, "ENGINE_UNAVAILABLE"),
    ],
)
def test_an_error_over_grpc_is_ours_after_one_call(
    weaviate: Weaviate, store: WeaviateStore, code: grpc.StatusCode, details: str, kind: type[AdapterError], reason: str
) -> None:
    owner = _owner()
    store.upsert(owner, _records(1))
    for method, call in _calls(store, owner).items():
        weaviate.servicer.troubles[:] = [Trouble(method, code, details)]
        before, began = weaviate.servicer.calls.count(method), time.monotonic()
        with pytest.raises(kind) as caught:
            call()
        assert (type(caught.value), caught.value.code) == (kind, reason)
        assert weaviate.servicer.calls.count(method) == before + 1, "the client's own retries are off"
        assert time.monotonic() - began < 5
        call()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Misconfigured),
        (401, Misconfigured),
        (403, Misconfigured),
        (404, Misconfigured),
        (422, Rejected),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
        (DROP, Unavailable),
        (CUT, Unavailable),
    ],
)
@pytest.mark.parametrize("path", ["GET /v1/meta", "GET /v1/schema"])
def test_an_error_over_http_is_ours_after_one_call(
    weaviate: Weaviate, store: WeaviateStore, path: str, status: int, kind: type[AdapterError]
) -> None:
    store.close()
    weaviate.faults[:] = [Fault(path, status, headers={"Retry-After": "7"} if status == 429 else {})]
    before = weaviate.calls.count(path)
    with pytest.raises(kind) as caught:
        store.remove("nobody", str(uuid4()))
    assert type(caught.value) is kind
    assert weaviate.calls.count(path) == before + 1
    store.remove("nobody", str(uuid4()))


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        ("put object: store is read-only", Unavailable, "ENGINE_UNAVAILABLE"),
        ("new node has a vector with length 7. Existing nodes have vectors with length 8", Rejected, "BAD_VECTOR"),
    ],
)
@pytest.mark.parametrize("positions", [[3], range(5)], ids=["one", "all"])
def test_objects_of_a_batch_that_are_not_written_are_an_error_and_told_to_no_log(
    weaviate: Weaviate, store: WeaviateStore, caplog: pytest.LogCaptureFixture,
    reason: str, kind: type[AdapterError], code: str, positions: list[int],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    owner, records = _owner(), _records(5, "whispered-in-confidence")
    weaviate.servicer.troubles[:] = [Trouble("BatchObjects", objects=dict.fromkeys(positions, reason))]
    with pytest.raises(kind) as caught:
        store.upsert(owner, records)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert "whispered" not in caplog.text + _shown(caught.value)
    store.upsert(owner, records)
    assert store.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}


def test_after_a_batch_that_failed_no_further_one_is_sent(weaviate: Weaviate) -> None:
    store = connect(_dsn(weaviate.address, batch_size="10"))
    weaviate.servicer.troubles[:] = [Trouble("BatchObjects", objects={2: "shutting down"})]
    before = weaviate.servicer.calls.count("BatchObjects")
    with pytest.raises(Unavailable, match="1 of 10"):
        store.upsert(_owner(), _records(50))
    assert weaviate.servicer.calls.count("BatchObjects") == before + 1
    store.close()


def test_what_was_written_though_the_answer_was_lost_may_be_written_again(
    weaviate: Weaviate, store: WeaviateStore
) -> None:
    owner, records = _owner(), _records(5)
    weaviate.servicer.troubles[:] = [Trouble("BatchObjects", Code.UNAVAILABLE, after=True)]
    with pytest.raises(Unavailable):
        store.upsert(owner, records)
    store.upsert(owner, records)
    assert store.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}


def test_vectors_that_are_not_deleted_are_an_error(weaviate: Weaviate, store: WeaviateStore) -> None:
    owner = _owner()
    store.upsert(owner, _records(5))
    weaviate.servicer.troubles[:] = [Trouble("BatchDelete", failed=2)]
    with pytest.raises(Unavailable, match="2 of 5"):
        store.remove(owner.user_id, owner.video_id)
    store.remove(owner.user_id, owner.video_id)
    assert store.ids(owner.user_id, owner.video_id) == {}


def test_a_slow_answer_is_not_waited_for(weaviate: Weaviate, store: WeaviateStore) -> None:
    hasty, owner = connect(_dsn(weaviate.address, timeout="0.4", write_timeout="0.4")), _owner()
    store.upsert(owner, _records(1))
    weaviate.servicer.troubles[:] = [Trouble("Search", seconds=20), Trouble("BatchObjects", seconds=20)]
    weaviate.faults[:] = [Fault("GET /v1/schema", SLOW, seconds=5)]
    calls: list[Callable[[], object]] = [
        lambda: hasty.search(owner.user_id, QUESTION, limit=1),
        lambda: hasty.upsert(owner, _records(1)),
        lambda: hasty.remove(owner.user_id, owner.video_id),
    ]
    for call in calls:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            call()
        assert time.monotonic() - began < 4
    hasty.close()


def test_a_connection_that_breaks_during_a_call_is_made_again(weaviate: Weaviate) -> None:
    weaviate.servicer.troubles[:] = [Trouble("Search", seconds=20)]
    with FaultProxy(f"http://127.0.0.1:{weaviate.grpc_port}") as line, ThreadPoolExecutor() as pool:
        store, owner = connect(_dsn(weaviate.address, grpc_port=line.url.rpartition(":")[2])), _owner()
        store.prepare()
        store.upsert(owner, _records(1))
        calls = len(weaviate.servicer.calls)
        cut = pool.submit(store.search, owner.user_id, QUESTION, limit=1)
        assert eventually(10, lambda: len(weaviate.servicer.calls) > calls)
        assert line.cut(Link.reset)
        with pytest.raises(Unavailable):
            cut.result()
        assert eventually(10, lambda: _answers(lambda: store.search(owner.user_id, QUESTION, limit=1)))
        store.close()


def test_a_grpc_port_where_nobody_is_is_unavailable_at_once(weaviate: Weaviate) -> None:
    with FaultProxy("http://127.0.0.1:1") as line:
        port = line.url.rpartition(":")[2]
    store, began = connect(_dsn(weaviate.address, grpc_port=port)), time.monotonic()
    for call in (store.ping, lambda: store.search("nobody", QUESTION, limit=1)):
        with pytest.raises(Unavailable):
            call()
    assert time.monotonic() - began < 5
    store.close()


def test_a_message_too_large_says_what_to_do(weaviate: Weaviate, store: WeaviateStore) -> None:
    with pytest.raises(Misconfigured, match="batch_size"):
        store.upsert(_owner(), _records(1, "a" * (MESSAGE + 1)))


def test_a_wrong_key_is_misconfigured_and_shown_nowhere(weaviate: Weaviate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = connect(replace(_dsn(weaviate.address), password="hidden-pass-phrase"))
    calls: list[Callable[[], object]] = [store.ping, store.prepare, lambda: store.ids("nobody", str(uuid4()))]
    for call in calls:
        with pytest.raises(Misconfigured, match="BIBLIO_VECTORS") as caught:
            call()
        assert "hidden-pass-phrase" not in _shown(caught.value) + repr(store) + repr(vars(store)) + caplog.text


def test_a_key_is_shown_nowhere_when_grpc_fails(weaviate: Weaviate, store: WeaviateStore) -> None:
    weaviate.servicer.troubles[:] = [Trouble("Search", Code.INTERNAL)]
    with pytest.raises(Unavailable) as caught:
        store.search("nobody", QUESTION, limit=1)
    assert KEY not in _shown(caught.value)


def test_a_weaviate_too_old_is_misconfigured(weaviate: Weaviate, store: WeaviateStore) -> None:
    store.close()
    weaviate.version, kept = "1.24.0", weaviate.version
    with pytest.raises(Misconfigured, match="too old"):
        store.ping()
    weaviate.version = kept
    store.ping()


def test_what_is_no_weaviate_is_misconfigured(weaviate: Weaviate, store: WeaviateStore) -> None:
    store.close()
    weaviate.faults[:] = [Fault("GET /v1/meta", 200, body={"name": "something else"})]
    with pytest.raises(Misconfigured, match="no Weaviate"):
        store.ping()


def test_tls_where_there_is_none_is_misconfigured(weaviate: Weaviate) -> None:
    store = connect(replace(_dsn(weaviate.address), scheme="weaviates"))
    with pytest.raises(Misconfigured, match="TLS"):
        store.ping()


def test_the_emulator_is_one_call_away() -> None:
    with weaviate_emulator() as address:
        store = connect(_dsn(address))
        store.prepare()
        store.ping()
        store.close()


def _dsn(address: str, **options: str) -> Dsn:
    parsed = Dsn.parse(address)
    return replace(parsed, options={**parsed.options, "space": "faults", "dimension": str(DIMENSION), **options})


def _owner() -> Owner:
    return Owner(f"user {uuid4().hex}", str(uuid4()), 1)


def _records(many: int, text: str = "a") -> list[VectorRecord]:
    return [VectorRecord(str(uuid4()), QUESTION, number, number + 1, text) for number in range(many)]


def _calls(store: WeaviateStore, owner: Owner) -> dict[str, Callable[[], object]]:
    """One for each method of Weaviate's that is called."""
    return {
        "BatchObjects": lambda: store.upsert(owner, _records(3)),
        "Search": lambda: store.search(owner.user_id, QUESTION, limit=3),
        "TenantsGet": lambda: list(store.owners()),
        "BatchDelete": lambda: store.remove(owner.user_id, owner.video_id),
    }


def _answers(call: Callable[[], object]) -> bool:
    try:
        call()
    except Unavailable:
        return False
    return True


def _shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
