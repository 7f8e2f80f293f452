"""Vectors in Pinecone, against an emulator that its own client library talks to."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from uuid import uuid4

import pytest

from biblio.adapters.vectors.pinecone import connect
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Unavailable
from biblio.ports.vectors import Near, Owner, VectorRecord, VectorStore
from tests.adapters.vectors.misbehaviour import MISBEHAVIOUR, RETRY_AFTER, provoked
from tests.contracts.catalog_suite import at_once, eventually
from tests.contracts.vectors import DIMENSION, VectorsContract
from tests.emulators.faults import SLOW, Fault
from tests.emulators.pinecone import PineconeEmulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[PineconeEmulator]:
    emulator = PineconeEmulator()
    with emulator.running():
        yield emulator


@pytest.fixture(scope="module")
def shared(emulator: PineconeEmulator) -> Iterator[VectorStore]:
    with closing(connect(_in_space(emulator.address, "contract"))) as store:
        store.prepare()
        yield store


class TestPinecone(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, emulator: PineconeEmulator) -> Iterator[VectorStore]:
        with closing(connect(_in_space(emulator.address, "another model"))) as store:
            yield store

    @pytest.fixture
    def absent(self) -> VectorStore:
        return connect(_in_space("pinecone://:key@biblio?endpoint=http://127.0.0.1:1", "contract"))

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None


def _in_space(address: str, space: str) -> Dsn:
    dsn = Dsn.parse(address)
    return replace(dsn, options={**dsn.options, "space": space, "dimension": str(DIMENSION)})


@pytest.mark.parametrize(("status", "kind"), MISBEHAVIOUR)
@pytest.mark.parametrize("call", ["vectors/upsert", "query", "vectors/list", "vectors/delete"])
def test_what_pinecone_does_wrong_is_told_as_ours_and_tried_once(
    emulator: PineconeEmulator, shared: VectorStore, call: str, status: int, kind: type[AdapterError]
) -> None:
    owner = _owner()
    shared.upsert(owner, [_record()])
    calls: dict[str, Callable[[], object]] = {
        "vectors/upsert": lambda: shared.upsert(owner, [_record()]),
        "query": lambda: shared.search(owner.user_id, [1.0] * DIMENSION, limit=1),
        "vectors/list": lambda: shared.ids(owner.user_id, owner.video_id),
        "vectors/delete": lambda: shared.remove(owner.user_id, owner.video_id),
    }
    fault = Fault(f"[A-Z]+ /at/biblio-[0-9a-f]+/{call}", status)
    # A namespace is there once something was written to it; of one that is not, Pinecone says 404.
    if status == 404 and call != "vectors/upsert":
        emulator.faults.append(fault)
        assert not calls[call]()
    else:
        assert type(provoked(emulator, fault, calls[call])) is kind
    shared.ping()


@pytest.mark.parametrize(("status", "kind"), [one for one in MISBEHAVIOUR if one[0] not in (400, 413)])
def test_what_the_control_plane_does_wrong_is_told_as_ours_too(
    emulator: PineconeEmulator, shared: VectorStore, status: int, kind: type[AdapterError]
) -> None:
    for pattern, call in (
        ("GET /indexes/.+", shared.ping),
        ("GET /indexes", partial(shared.remove, "nobody", str(uuid4()))),
    ):
        assert type(provoked(emulator, Fault(pattern, status), call)) is kind


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER)
def test_how_long_to_wait_is_handed_on(
    emulator: PineconeEmulator, shared: VectorStore, header: str | None, seconds: float | None
) -> None:
    fault = Fault("POST .*/query", 429, headers={"Retry-After": header} if header else {})
    error = provoked(emulator, fault, lambda: shared.search("nobody", [1.0] * DIMENSION, limit=1))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_service_that_is_slow_is_unavailable(emulator: PineconeEmulator) -> None:
    with closing(connect(_with(_in_space(emulator.address, "contract"), timeout="1"))) as store:
        error = provoked(emulator, Fault("GET .*", SLOW, seconds=2.5), store.ping)
    assert type(error) is Unavailable


def test_each_space_has_a_serverless_index_where_the_address_says(emulator: PineconeEmulator) -> None:
    dsn = _with(_in_space(emulator.address, f"new {uuid4()}"), dimension="1536", cloud="gcp", region="europe-west4")
    with closing(connect(dsn)) as store:
        for call in (store.ping, partial(_search, store, dimension=1536)):
            with pytest.raises(Misconfigured, match="biblio migrate"):
                call()
        at_once(4, lambda _: store.prepare())
        store.ping()
    made = emulator.indexes[f"biblio-{sha256(dsn.options['space'].encode()).hexdigest()[:12]}"].described
    assert made["schema"] == {"fields": {"_values": {"type": "dense_vector", "dimension": 1536, "metric": "cosine"}}}
    place = {"deployment_type": "managed", "cloud": "gcp", "region": "europe-west4"}
    assert {key: made["deployment"][key] for key in place} == place


def test_an_index_that_is_still_being_made_is_unavailable(emulator: PineconeEmulator) -> None:
    emulator.ready = False
    with closing(connect(_with(_in_space(emulator.address, f"slow {uuid4()}"), ready_timeout="1"))) as store:
        for call in (store.prepare, store.prepare, store.ping, partial(_search, store)):
            with pytest.raises(Unavailable):
                call()
    emulator.ready = True


def test_an_index_of_another_dimension_is_misconfigured(emulator: PineconeEmulator, shared: VectorStore) -> None:
    with closing(connect(_with(_in_space(emulator.address, "contract"), dimension="9"))) as store:
        for call in (store.prepare, store.ping, partial(_search, store, dimension=9)):
            with pytest.raises(Misconfigured, match="dimension"):
                call()


def test_ids_and_metadata_are_as_pinecone_has_them_done(emulator: PineconeEmulator, shared: VectorStore) -> None:
    """Documents' parts are told apart by what their ids begin with; a text that is too long for it is cut."""
    owner, record = replace(_owner(), user_id=f"김/{uuid4()}?"), replace(_record(), text="강의" * 10_000)
    shared.upsert(owner, [record])
    namespaces = emulator.indexes[f"biblio-{sha256(b'contract').hexdigest()[:12]}"].namespaces
    (point,) = namespaces[f"user:%EA%B9%80%2F{owner.user_id[2:-1]}%3F"].by_id.values()
    assert point.id == f"{owner.video_id}#1#{record.id}"
    assert point.about == {
        "start": 1.5,
        "end": 3.25,
        "text": "강의" * 5_000,
        "passage": record.id,
        "user": owner.user_id,
        "video": owner.video_id,
        "generation": 1,
    }
    assert owner in set(shared.owners())


def test_large_vectors_are_written_in_as_many_requests_as_2_mb_ask_for(emulator: PineconeEmulator) -> None:
    owner, values = _owner(), [1 / 3 + number / 7_000 for number in range(3072)]
    with closing(connect(_with(_in_space(emulator.address, f"large {uuid4()}"), dimension="3072"))) as store:
        store.prepare()
        emulator.calls.clear()
        store.upsert(owner, [replace(_record(), values=values) for _ in range(120)])
        assert len(store.ids(owner.user_id, owner.video_id)[1]) == 120
    assert sum(call.endswith("/upsert") for call in emulator.calls) == 3


def test_a_video_of_thousands_is_listed_and_removed_in_pieces(emulator: PineconeEmulator, shared: VectorStore) -> None:
    owner, records = _owner(), [_record() for _ in range(2_500)]
    shared.upsert(owner, records)
    emulator.calls.clear()
    assert shared.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}
    shared.remove(owner.user_id, owner.video_id)
    assert shared.ids(owner.user_id, owner.video_id) == {}
    assert sum(call.endswith("/delete") for call in emulator.calls) == 3


def test_what_a_failure_left_half_written_is_completed_by_another_try(
    emulator: PineconeEmulator, shared: VectorStore
) -> None:
    owner, records = _owner(), [_record() for _ in range(1_500)]
    upsert = "POST .*/vectors/upsert"
    emulator.faults += [Fault(upsert, SLOW), Fault(upsert, 503), Fault(upsert, 200, body={"upsertedCount": 999})]
    for there in (1_000, 1_000):
        with pytest.raises(Unavailable):
            shared.upsert(owner, records)
        assert len(shared.ids(owner.user_id, owner.video_id)[1]) == there
    shared.upsert(owner, records)
    assert shared.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}


def test_what_shows_late_is_found_and_removed_in_the_end(emulator: PineconeEmulator, shared: VectorStore) -> None:
    """As Pinecone promises it, and no sooner: the index step looks, and comes again."""
    owner, record = _owner(), _record()
    emulator.lag = 0.5
    try:
        shared.upsert(owner, [record])
        assert shared.search(owner.user_id, record.values, limit=1) == []
        assert eventually(10, lambda: [hit.id for hit in _search(shared, owner.user_id)] == [record.id])
        shared.remove(owner.user_id, owner.video_id)
        assert shared.ids(owner.user_id, owner.video_id) == {1: [record.id]}
        assert eventually(10, lambda: shared.ids(owner.user_id, owner.video_id) == {})
    finally:
        emulator.lag = 0.0


def test_other_indexes_of_the_project_are_left_alone(emulator: PineconeEmulator, shared: VectorStore) -> None:
    other = f"biblio-test-{'0' * 12}"
    emulator.indexes[other] = replace(next(iter(emulator.indexes.values())))
    emulator.indexes[other].described = {**emulator.indexes[other].described, "name": other}
    emulator.calls.clear()
    shared.remove("nobody", str(uuid4()))
    assert not [call for call in emulator.calls if other in call]
    del emulator.indexes[other]


def test_a_wrong_key_is_misconfigured_and_shown_nowhere(emulator: PineconeEmulator) -> None:
    for key in ("hidden-pass-phrase", "hidden-pass-phrase\n"):
        wrong = replace(_in_space(emulator.address, "contract"), password=key)
        with pytest.raises(Misconfigured, match="key") as caught:
            connect(wrong).prepare()
        assert "hidden-pass-phrase" not in repr(caught.value) + repr(caught.value.__cause__) + repr(wrong)


@pytest.mark.parametrize(
    "address",
    [
        *("pinecone://", "pinecone://biblio", "pinecone://key@biblio", "pinecone://:key@Biblio"),
        *("pinecone://:key@biblio/path", f"pinecone://:key@{'b' * 33}", "pinecone://:key@biblio?endpoint=localhost"),
    ],
)
def test_an_address_without_sense_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured):
        connect(_in_space(address, "contract"))


def test_a_missing_extra_names_itself() -> None:
    program = (
        "import sys; sys.modules['pinecone'] = None\n"
        "from biblio.adapters.registry import connect; from biblio.dsn import Dsn\n"
        "connect('vectors', Dsn.parse('pinecone://:key@biblio'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "pip install 'biblio[pinecone]'" in done.stderr.splitlines()[-1]


def _search(store: VectorStore, user_id: str = "nobody", dimension: int = DIMENSION) -> list[Near]:
    return store.search(user_id, [1.0] * dimension, limit=1)


def _with(dsn: Dsn, **options: str) -> Dsn:
    return replace(dsn, options={**dsn.options, **options})


def _owner() -> Owner:
    return Owner(f"user {uuid4().hex}", str(uuid4()), 1)


def _record() -> VectorRecord:
    return VectorRecord(str(uuid4()), [1.0] * DIMENSION, 1.5, 3.25, "강의")
