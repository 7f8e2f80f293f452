"""Vectors in PostgreSQL, in the catalog's own database."""

import math
import random
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from uuid import uuid4

import pytest

from biblio.adapters.vectors import pgvector
from biblio.adapters.vectors.pgvector import connect
from biblio.domain.search import EVERYWHERE, Scope
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Unavailable
from biblio.ports.vectors import Owner, VectorRecord, VectorStore
from tests.contracts.catalog_suite import at_once, eventually
from tests.contracts.vectors import CROWD, DIMENSION, VectorsContract
from tests.database import look_into


@pytest.fixture(scope="module")
def dsn(addresses: Mapping[str, str]) -> Dsn:
    """What bootstrap makes of `pgvector://`."""
    options = {"space": "contract", "dimension": str(DIMENSION)}
    return replace(Dsn.parse(addresses["BIBLIO_DATABASE"]), scheme="pgvector", options=options)


@pytest.fixture(scope="module")
def shared(dsn: Dsn) -> Iterator[VectorStore]:
    store = connect(dsn)
    store.prepare()
    yield store
    store.close()


class TestPgvector(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, dsn: Dsn) -> Iterator[VectorStore]:
        store = connect(_in_space(dsn, "another model"))
        yield store
        store.close()

    @pytest.fixture
    def crowded(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        return lambda: _search_exactly_up_to(monkeypatch, CROWD)

    @pytest.fixture
    def absent(self, dsn: Dsn) -> VectorStore:
        return connect(replace(dsn, port=_closed_port()))


def test_the_metadata_is_the_specifications(dsn: Dsn, shared: VectorStore) -> None:
    owner, record = _owner(), VectorRecord(str(uuid4()), [1.0] * DIMENSION, 1.5, 3.25, '강의 "1" \\n\t\n🎓')
    shared.upsert(owner, [record])
    with look_into(dsn) as connection:
        row = connection.execute("SELECT metadata FROM vectors WHERE id = %s", [record.id]).fetchone()
    assert row == ({"start": 1.5, "end": 3.25, "text": record.text},)


@pytest.mark.parametrize(("dimension", "indexed"), [(1_536, True), (4_000, True), (4_096, False)])
def test_each_space_has_a_partition_and_where_it_can_an_index_of_its_own(
    dsn: Dsn, dimension: int, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _search_exactly_up_to(monkeypatch, 3)
    large, owner = connect(_in_space(dsn, f"large '{dimension}'", dimension)), _owner()
    with pytest.raises(Misconfigured):
        large.ping()
    for _ in range(2):
        large.prepare()
    large.ping()
    near = [[1.0] * dimension, [0.0] + [1.0] * (dimension - 1), [1.0] + [0.0] * (dimension - 1)]
    records = [VectorRecord(str(uuid4()), values, 0, 1, "a") for values in near]
    large.upsert(owner, [*records, *(VectorRecord(str(uuid4()), [-1.0] * dimension, 0, 1, "b") for _ in range(9))])
    assert [hit.id for hit in large.search(owner.user_id, [1.0] * dimension, limit=3)] == [one.id for one in records]
    large.close()
    with look_into(dsn) as connection:
        query = "SELECT count(*) FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%hnsw%%'"
        assert connection.execute(query, [_partition(f"large '{dimension}'")]).fetchone() == (int(indexed),)


def test_only_a_user_with_many_vectors_is_searched_by_the_index(dsn: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is that of one space alone, so whoever reads it is counted here and nowhere else."""
    _search_exactly_up_to(monkeypatch, 100)
    dsn = _in_space(dsn, f"counted {uuid4()}")
    store, large, small = connect(dsn), _owner(), _owner()
    store.prepare()
    dice = random.Random(1)
    for owner, many in ((large, 101), (small, 100)):
        store.upsert(
            owner,
            [VectorRecord(str(uuid4()), [dice.gauss(0, 1) for _ in range(DIMENSION)], 0, 1, "a") for _ in range(many)],
        )
    store.close()
    before = _index_scans(dsn)
    for owner, scope in ((small, EVERYWHERE), (large, Scope(only=(large.video_id,)))):
        assert len(store.search(owner.user_id, [1.0] * DIMENSION, limit=200, scope=scope)) >= 100
    store.close()  # what a session has counted is told at the latest when it ends
    assert _index_scans(dsn) == before
    assert len(store.search(large.user_id, [1.0] * DIMENSION, limit=90)) == 90
    store.close()
    assert eventually(15, lambda: _index_scans(dsn) > before)


def test_a_user_with_many_vectors_gets_as_many_as_asked_for_beside_a_far_larger_one(
    dsn: Dsn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest thousands are all somebody else's: the index is read on."""
    _search_exactly_up_to(monkeypatch, 100)
    store, mine, dice = connect(_in_space(dsn, f"crowd {uuid4()}")), _owner(), random.Random(2)
    store.prepare()
    for _ in range(8):
        crowd = [[1.0, *(dice.gauss(0, 0.05) for _ in range(DIMENSION - 1))] for _ in range(1_000)]
        store.upsert(_owner(), [VectorRecord(str(uuid4()), values, 0, 1, "near") for values in crowd])
    far = [[0.2, *(dice.gauss(0, 1) for _ in range(DIMENSION - 1))] for _ in range(150)]
    store.upsert(mine, [VectorRecord(str(uuid4()), values, 0, 1, "far") for values in far])
    found = store.search(mine.user_id, [1.0] + [0.0] * (DIMENSION - 1), limit=100)
    assert len(found) == 100
    _search_exactly_up_to(monkeypatch, 10_000)
    exact = store.search(mine.user_id, [1.0] + [0.0] * (DIMENSION - 1), limit=100)
    assert len({hit.id for hit in found} & {hit.id for hit in exact}) >= 95
    store.close()


def test_in_a_space_of_very_many_a_user_of_fewer_is_searched_exactly(dsn: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    """To walk the index to some of one user's vectors takes the longer, the more there are of others."""
    monkeypatch.setattr(pgvector, "EXACT_UP_TO", 100)
    dsn = _in_space(dsn, f"others {uuid4()}")
    store, few, many, dice = connect(dsn), _owner(), _owner(), random.Random(3)
    store.prepare()
    bound = int(math.sqrt(pgvector.WALK_COST * 3_000))
    assert 300 < bound < 2_600
    for owner, count in ((few, 300), (many, 2_700)):
        vectors = [[dice.gauss(0, 1) for _ in range(DIMENSION)] for _ in range(count)]
        store.upsert(owner, [VectorRecord(str(uuid4()), values, 0, 1, "a") for values in vectors])
    with look_into(dsn) as connection:
        connection.execute(f"ANALYZE {_partition(dsn.options['space'])}".encode())
    for owner, by_index in ((few, False), (many, True)):
        with store._connection(owner.user_id) as connection:
            assert store._has_many(connection, owner.user_id) is by_index
    store.close()


def test_a_search_leaves_its_settings_to_no_other(dsn: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    _search_exactly_up_to(monkeypatch, 1)
    store, owner = connect(replace(dsn, options={**dsn.options, "pool_size": "1"})), _owner()
    store.upsert(owner, [VectorRecord(str(uuid4()), [1.0] * DIMENSION, 0, 1, "a") for _ in range(3)])
    assert len(store.search(owner.user_id, [1.0] * DIMENSION, limit=2)) == 2
    with store._connection(owner.user_id) as connection:
        assert connection.execute("SHOW enable_sort").fetchone() == ("on",)
        assert connection.execute("SHOW hnsw.iterative_scan").fetchone() == ("off",)
    store.close()


def test_connections_the_server_closed_are_opened_again(dsn: Dsn, shared: VectorStore) -> None:
    at_once(24, lambda _: shared.search("nobody", [1.0] * DIMENSION, limit=1))
    with look_into(dsn) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user "
            "AND datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert shared.search("nobody", [1.0] * DIMENSION, limit=1) == []


def test_a_database_that_is_away_is_unavailable_for_searches_too(dsn: Dsn) -> None:
    store = connect(replace(dsn, port=_closed_port(), password="hidden-pass-phrase"))
    with pytest.raises(Unavailable) as caught:
        store.search("nobody", [1.0] * DIMENSION, limit=1)
    assert "hidden-pass-phrase" not in _everything_shown(caught.value)
    store.close()


def test_a_wrong_password_user_or_database_is_misconfigured_and_shown_nowhere(dsn: Dsn) -> None:
    hidden = replace(dsn, password="hidden-pass-phrase")
    for wrong in (hidden, replace(hidden, username="nobody"), replace(dsn, path="nowhere")):
        store = connect(wrong)
        for call in (store.ping, store.prepare, partial(store.remove, "nobody", str(uuid4()))):
            with pytest.raises(Misconfigured, match="BIBLIO_VECTORS") as caught:
                call()
            assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(store)


@pytest.mark.parametrize("options", [{"dimension": "0"}, {"dimension": "many"}, {"dimension": "16001"}, {"spaec": "x"}])
def test_options_without_sense_are_refused(dsn: Dsn, options: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match=next(iter(options))):
        connect(replace(dsn, options={**dsn.options, **options}))


def _owner() -> Owner:
    return Owner(f"user {uuid4().hex}", str(uuid4()), 1)


def _in_space(dsn: Dsn, space: str, dimension: int = DIMENSION) -> Dsn:
    return replace(dsn, options={"space": space, "dimension": str(dimension)})


def _search_exactly_up_to(monkeypatch: pytest.MonkeyPatch, vectors: int) -> None:
    monkeypatch.setattr(pgvector, "EXACT_UP_TO", vectors)
    monkeypatch.setattr(pgvector, "WALK_COST", 0)


def _partition(space: str) -> str:
    return f"vectors_{sha256(space.encode()).hexdigest()[:12]}"


def _index_scans(dsn: Dsn) -> int:
    """How often the indexes of a space were read, as far as PostgreSQL has told."""
    query = (
        "SELECT sum(idx_scan)::int FROM pg_stat_user_indexes JOIN pg_indexes ON indexname = indexrelname "
        "WHERE relname LIKE %s AND indexdef LIKE '%%hnsw%%'"
    )
    with look_into(dsn) as connection:
        (scans,) = connection.execute(query, [f"{_partition(dsn.options['space'])}%"]).fetchone() or (None,)
    assert isinstance(scans, int)
    return scans


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
