"""Vectors in Weaviate, tested against an emulator."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from uuid import uuid4

import pytest

from biblio.adapters.vectors.weaviate import PAGE, connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.vectors import Owner, VectorRecord, VectorStore
from tests.contracts.vectors import DIMENSION, VectorsContract
from tests.emulators.weaviate import DEFAULTS, Weaviate, running_weaviate
from tests.emulators.weaviate_shelf import Object


@pytest.fixture(scope="module")
def weaviate() -> Iterator[Weaviate]:
    with running_weaviate() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def dsn(weaviate: Weaviate) -> Dsn:
    """What bootstrap makes of the address."""
    return _in_space(Dsn.parse(weaviate.address), "contract")


@pytest.fixture(scope="module")
def shared(dsn: Dsn) -> Iterator[VectorStore]:
    store = connect(dsn)
    store.prepare()
    yield store
    store.close()


class TestWeaviate(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, dsn: Dsn) -> Iterator[VectorStore]:
        store = connect(_in_space(dsn, "another model"))
        yield store
        store.close()

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None  # each user has an index, which Weaviate reads or not as it sees fit

    @pytest.fixture
    def absent(self, dsn: Dsn) -> VectorStore:
        return connect(replace(dsn, port=_closed_port()))


def test_the_metadata_is_the_specifications_and_whose_it_is(weaviate: Weaviate, shared: VectorStore) -> None:
    owner = _owner("김 교수/\0\"'" * 30)
    record = VectorRecord(str(uuid4()), [1.0] * DIMENSION, 1.5, 3.25, '강의 "1" \n🎓')
    shared.upsert(owner, [record])
    (stored,) = _objects(weaviate, owner).values()
    about = {"user_id": owner.user_id, "video_id": owner.video_id, "generation": 1}
    assert stored.properties == {**about, "start": 1.5, "end": 3.25, "text": record.text}
    assert owner in set(shared.owners())


def test_a_space_is_a_collection_that_keeps_numbers_as_they_are(weaviate: Weaviate, shared: VectorStore) -> None:
    schema = weaviate.shelf.classes[_collection("contract")]
    assert schema["multiTenancyConfig"] == {"enabled": True, "autoTenantCreation": True, "autoTenantActivation": True}
    (vector,) = schema["vectorConfig"].values()
    assert (vector["vectorizer"], vector["vectorIndexType"]) == ({"none": {}}, "hnsw")
    assert vector["vectorIndexConfig"]["distance"] == "cosine"
    assert vector["vectorIndexConfig"]["skipDefaultQuantization"]
    searched = [one["name"] for one in schema["properties"] if one["indexSearchable"]]
    assert searched == [], "words are PostgreSQL's"


def test_vectors_are_written_in_batches(weaviate: Weaviate, dsn: Dsn) -> None:
    store, owner = connect(_in_space(dsn, "contract", batch_size="100")), _owner()
    before = weaviate.servicer.calls.count("BatchObjects")
    store.upsert(owner, _records(250))
    assert weaviate.servicer.calls.count("BatchObjects") - before == 3
    assert len(store.ids(owner.user_id, owner.video_id)[1]) == 250
    store.close()


def test_of_a_video_with_more_vectors_than_one_answer_holds_all_are_known_and_removed(
    weaviate: Weaviate, shared: VectorStore
) -> None:
    owner, beside = _owner(), _owner()
    beside = replace(beside, user_id=owner.user_id)
    records = _records(PAGE * 2 + 50)
    shared.upsert(owner, records)
    shared.upsert(beside, _records(3))
    assert shared.ids(owner.user_id, owner.video_id) == {1: sorted(record.id for record in records)}
    told = shared.similarities(owner.user_id, [1.0] * DIMENSION, [record.id for record in records])
    assert len(told) == len(records)
    assert {owner, beside} <= set(shared.owners())
    weaviate.shelf.most = PAGE
    shared.remove(owner.user_id, owner.video_id)
    weaviate.shelf.most = 10_000
    assert len(_objects(weaviate, owner)) == 3


def test_nothing_is_called_before_it_is_needed(dsn: Dsn, weaviate: Weaviate) -> None:
    before = len(weaviate.calls)
    store = connect(dsn)
    assert len(weaviate.calls) == before
    store.ping()
    store.close()
    store.close()
    store.ping()
    store.close()


def test_a_space_that_is_not_prepared_is_misconfigured_and_never_made_up(weaviate: Weaviate, dsn: Dsn) -> None:
    """Weaviate makes a collection of whatever comes: without tenants, so all users' in one."""
    store, owner = connect(_in_space(dsn, "nowhere")), _owner()
    calls: list[Callable[[], object]] = [
        store.ping,
        lambda: store.upsert(owner, _records(1)),
        lambda: store.search(owner.user_id, [1.0] * DIMENSION, limit=1),
        lambda: store.ids(owner.user_id, owner.video_id),
    ]
    for call in calls:
        with pytest.raises(Misconfigured, match="biblio migrate"):
            call()
    assert _collection("nowhere") not in weaviate.shelf.classes
    store.close()


def test_a_collection_without_tenants_is_misconfigured(weaviate: Weaviate, dsn: Dsn) -> None:
    name = _collection("made up")
    weaviate.shelf.add_class({**DEFAULTS, "class": name, "properties": [], "vectorizer": "none"})
    store = connect(_in_space(dsn, "made up"))
    for call in (store.prepare, store.ping):
        with pytest.raises(Misconfigured, match=name):
            call()
    del weaviate.shelf.classes[name]
    store.close()


def test_two_libraries_on_one_server_have_collections_of_their_own(dsn: Dsn, shared: VectorStore) -> None:
    other, owner = connect(_in_space(dsn, "contract", prefix="Other")), _owner()
    other.prepare()
    for store in (other, shared):
        store.upsert(owner, _records(2))
    shared.remove(owner.user_id, owner.video_id)
    assert shared.ids(owner.user_id, owner.video_id) == {}
    assert len(other.ids(owner.user_id, owner.video_id)[1]) == 2
    assert owner not in set(shared.owners())
    other.close()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("weaviate://", "host"),
        ("weaviate://key@h:8080", "colon"),
        ("weaviate://h:50051", "grpc_port"),
        ("weaviates://h?grpc_port=443", "grpc_host"),
        ("weaviate://h?dimension=0", "dimension"),
        ("weaviate://h?prefix=no-hyphen", "prefix"),
        ("weaviate://h?batch_size=0", "batch_size"),
        ("weaviate://h?spaec=x", "spaec"),
    ],
)
def test_an_address_without_sense_is_refused(address: str, told: str) -> None:
    parsed = Dsn.parse(address)
    options = {"space": "s", "dimension": "8", **parsed.options}
    with pytest.raises(Misconfigured, match=told):
        connect(replace(parsed, options=options))


def _in_space(dsn: Dsn, space: str, **options: str) -> Dsn:
    return replace(dsn, options={**dsn.options, "space": space, "dimension": str(DIMENSION), **options})


def _collection(space: str) -> str:
    return f"Biblio_{sha256(space.encode()).hexdigest()[:12]}"


def _objects(weaviate: Weaviate, owner: Owner) -> Mapping[str, Object]:
    """What is stored in this user's tenant."""
    tenants = weaviate.shelf.tenants[_collection("contract")]
    return tenants[f"user-{sha256(owner.user_id.encode()).hexdigest()[:40]}"]


def _owner(user_id: str = "") -> Owner:
    return Owner(user_id or f"user {uuid4().hex}", str(uuid4()), 1)


def _records(many: int) -> list[VectorRecord]:
    return [VectorRecord(str(uuid4()), [1.0] * DIMENSION, number / 4, number / 4 + 1, "a") for number in range(many)]


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
