"""Vectors in Qdrant: at a server that is an emulator, and in the library's own store."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient

from biblio.adapters.vectors.qdrant import connect
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Unavailable
from biblio.ports.vectors import Owner, VectorRecord, VectorStore
from tests.adapters.vectors.misbehaviour import MISBEHAVIOUR, RETRY_AFTER, provoked
from tests.contracts.catalog_suite import at_once
from tests.contracts.vectors import DIMENSION, VectorsContract
from tests.emulators.faults import SLOW, Fault
from tests.emulators.json_service import Points
from tests.emulators.qdrant import Collection, QdrantEmulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[QdrantEmulator]:
    emulator = QdrantEmulator()
    with emulator.running():
        yield emulator


@pytest.fixture(scope="module")
def shared(emulator: QdrantEmulator) -> Iterator[VectorStore]:
    with closing(connect(_in_space(emulator.address, "contract"))) as store:
        store.prepare()
        yield store


class TestQdrantServer(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, emulator: QdrantEmulator) -> Iterator[VectorStore]:
        with closing(connect(_in_space(emulator.address, "another model"))) as store:
            yield store

    @pytest.fixture
    def absent(self) -> VectorStore:
        return connect(_in_space("qdrant://127.0.0.1:1", "contract"))

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None


class TestQdrantFolder(VectorsContract):
    """In memory, which is the same code without writing."""

    @pytest.fixture
    def vectors(self) -> Iterator[VectorStore]:
        with closing(connect(_in_space("qdrant:///:memory:", "contract"))) as store:
            store.prepare()
            yield store

    @pytest.fixture
    def elsewhere(self) -> Iterator[VectorStore]:
        with closing(connect(_in_space("qdrant:///:memory:", "another model"))) as store:
            yield store

    @pytest.fixture
    def absent(self, tmp_path: Path) -> Iterator[VectorStore]:
        """Another one has the folder open."""
        with closing(QdrantClient(path=str(tmp_path))):
            yield connect(_in_space(f"qdrant://{tmp_path}", "contract"))

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None


def _in_space(address: str, space: str) -> Dsn:
    dsn = Dsn.parse(address)
    return replace(dsn, options={**dsn.options, "space": space, "dimension": str(DIMENSION)})


@pytest.mark.parametrize(("status", "kind"), MISBEHAVIOUR)
@pytest.mark.parametrize("call", ["points", "points/query", "points/scroll", "points/delete"])
def test_what_qdrant_does_wrong_is_told_as_ours_and_tried_once(
    emulator: QdrantEmulator, shared: VectorStore, call: str, status: int, kind: type[AdapterError]
) -> None:
    owner = _owner()
    calls: dict[str, Callable[[], object]] = {
        "points": lambda: shared.upsert(owner, [_record()]),
        "points/query": lambda: shared.search(owner.user_id, [1.0] * DIMENSION, limit=1),
        "points/scroll": lambda: shared.ids(owner.user_id, owner.video_id),
        "points/delete": lambda: shared.remove(owner.user_id, owner.video_id),
    }
    error = provoked(emulator, Fault(f"[A-Z]+ /collections/biblio_[0-9a-f]+/{call}", status), calls[call])
    assert type(error) is kind
    shared.ping()


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER)
def test_how_long_to_wait_is_handed_on(
    emulator: QdrantEmulator, shared: VectorStore, header: str | None, seconds: float | None
) -> None:
    fault = Fault("POST .*/points/query", 429, headers={"Retry-After": header} if header else {})
    error = provoked(emulator, fault, lambda: shared.search("nobody", [1.0] * DIMENSION, limit=1))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_server_that_is_slow_is_unavailable(emulator: QdrantEmulator) -> None:
    dsn = _in_space(emulator.address, "contract")
    with closing(connect(replace(dsn, options={**dsn.options, "timeout": "1"}))) as store:
        error = provoked(emulator, Fault("GET .*", SLOW, seconds=2.5), store.ping)
    assert type(error) is Unavailable


def test_a_write_that_is_only_taken_note_of_is_not_done(emulator: QdrantEmulator, shared: VectorStore) -> None:
    body = {"result": {"operation_id": 1, "status": "acknowledged"}, "status": "ok", "time": 0.1}
    fault = Fault("PUT .*/points", 200, body=body)
    assert provoked(emulator, fault, lambda: shared.upsert(_owner(), [_record()])).code == "WRITE_NOT_DONE"


def test_what_a_failure_left_half_written_is_completed_by_another_try(
    emulator: QdrantEmulator, shared: VectorStore
) -> None:
    owner, records = _owner(), [_record() for _ in range(600)]
    emulator.faults += [Fault("PUT .*/points", SLOW), Fault("PUT .*/points", 503)]
    with pytest.raises(Unavailable):
        shared.upsert(owner, records)
    assert len(shared.ids(owner.user_id, owner.video_id)[1]) == 256
    shared.upsert(owner, records)
    assert shared.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}


def test_a_user_is_a_tenant_with_a_graph_of_their_own(emulator: QdrantEmulator, shared: VectorStore) -> None:
    owner, record = _owner(), _record()
    shared.upsert(owner, [record])
    collection = emulator.collections[f"biblio_{sha256(b'contract').hexdigest()[:12]}"]
    assert collection.config["vectors"] == {"size": DIMENSION, "distance": "Cosine", "datatype": "float16"}
    assert (collection.config["hnsw_config"]["m"], collection.config["hnsw_config"]["payload_m"]) == (0, 16)
    assert collection.indexes["user"] == {"type": "keyword", "is_tenant": True}
    assert collection.points.by_id[record.id].about == {
        "start": 1.5,
        "end": 3.25,
        "text": "강의",
        "user": owner.user_id,
        "video": owner.video_id,
        "generation": 1,
    }


def test_collections_of_others_are_left_alone(emulator: QdrantEmulator, shared: VectorStore) -> None:
    theirs = ["notes", "biblio_notes", "biblio_test_0123456789ab"]
    emulator.collections.update((name, Collection({}, Points(DIMENSION))) for name in theirs)
    emulator.calls.clear()
    shared.remove("nobody", str(uuid4()))
    assert not [call for call in emulator.calls if any(f"/{name}/" in call for name in theirs)]
    for name in theirs:
        del emulator.collections[name]


def test_a_space_that_is_not_prepared_or_of_another_dimension_is_misconfigured(emulator: QdrantEmulator) -> None:
    with closing(connect(_in_space(emulator.address, f"new {uuid4()}"))) as store:
        for call in (store.ping, partial(store.search, "nobody", [1.0] * DIMENSION, limit=1)):
            with pytest.raises(Misconfigured, match="biblio migrate"):
                call()
        at_once(4, lambda _: store.prepare())
        store.ping()
    dsn = _in_space(emulator.address, "contract")
    with closing(connect(replace(dsn, options={**dsn.options, "dimension": "9"}))) as store:
        for call in (store.ping, store.prepare):
            with pytest.raises(Misconfigured, match="dimension"):
                call()


def test_a_wrong_key_is_misconfigured(emulator: QdrantEmulator) -> None:
    wrong = replace(_in_space(emulator.address, "contract"), password="hidden-pass-phrase")
    with closing(connect(wrong)) as store, pytest.raises(Misconfigured, match="key") as caught:
        store.prepare()
    assert "hidden-pass-phrase" not in repr(caught.value) + repr(wrong)


def test_a_folder_keeps_what_was_written_and_is_shared_by_the_stores_of_a_process(tmp_path: Path) -> None:
    dsn, owner, record = _in_space(f"qdrant://{tmp_path}/vectors", "contract"), _owner(), _record()
    with closing(connect(dsn)) as store, closing(connect(dsn)) as other:
        store.prepare()
        store.upsert(owner, [record])
        assert other.ids(owner.user_id, owner.video_id) == {1: [record.id]}
    with closing(connect(dsn)) as store:
        assert [hit.id for hit in store.search(owner.user_id, record.values, limit=3)] == [record.id]


def test_a_folder_that_is_none_is_misconfigured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="folder"):
        connect(_in_space(f"qdrant://{tmp_path}/file/vectors", "contract")).ping()


@pytest.mark.parametrize(
    "address",
    ["qdrant://", "qdrants:///folder", "qdrant://:key@/folder", "qdrant://key@host", "qdrant://host?colection=x"],
)
def test_an_address_without_sense_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured):
        connect(_in_space(address, "contract"))


def test_a_missing_extra_names_itself() -> None:
    program = (
        "import sys; sys.modules['qdrant_client'] = None\n"
        "from biblio.adapters.registry import connect; from biblio.dsn import Dsn\n"
        "connect('vectors', Dsn.parse('qdrant://127.0.0.1'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "pip install 'biblio[qdrant]'" in done.stderr.splitlines()[-1]


def _owner() -> Owner:
    return Owner(f"user {uuid4().hex}", str(uuid4()), 1)


def _record() -> VectorRecord:
    return VectorRecord(str(uuid4()), [1.0] * DIMENSION, 1.5, 3.25, "강의")
