"""Vectors in PostgreSQL, in the catalog's own database."""

import socket
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from biblio.adapters.vectors.pgvector import connect
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Unavailable
from biblio.ports.vectors import Owner, VectorRecord, VectorStore
from tests.contracts.catalog_suite import at_once
from tests.contracts.vectors import DIMENSION, VectorsContract
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
    def absent(self, dsn: Dsn) -> VectorStore:
        return connect(replace(dsn, port=_closed_port()))


def test_the_metadata_is_the_specifications(dsn: Dsn, shared: VectorStore) -> None:
    owner, record = _owner(), VectorRecord(str(uuid4()), [1.0] * DIMENSION, 1.5, 3.25, '강의 "1" \\n\t\n🎓')
    shared.upsert(owner, [record])
    with look_into(dsn) as connection:
        row = connection.execute(f"SELECT metadata FROM vectors_{DIMENSION} WHERE id = %s", [record.id]).fetchone()
    assert row == ({"start": 1.5, "end": 3.25, "text": record.text},)


def test_spaces_never_meet(dsn: Dsn, shared: VectorStore) -> None:
    """Vectors of two embedders may have the same dimension and nothing else in common."""
    other, owner = connect(replace(dsn, options={**dsn.options, "space": "another model"})), _owner()
    other.upsert(owner, [VectorRecord(str(uuid4()), [1.0] * DIMENSION, 0, 1, "a")])
    assert shared.search(owner.user_id, [1.0] * DIMENSION, limit=3) == []
    assert len(other.search(owner.user_id, [1.0] * DIMENSION, limit=3)) == 1
    shared.remove(owner.user_id, owner.video_id)
    assert other.search(owner.user_id, [1.0] * DIMENSION, limit=3) == []
    other.close()


def test_each_dimension_has_a_table_of_its_own(dsn: Dsn) -> None:
    large, owner = connect(replace(dsn, options={"space": "large", "dimension": "1536"})), _owner()
    with pytest.raises(Misconfigured):
        large.ping()
    large.prepare()
    large.upsert(owner, [VectorRecord(str(uuid4()), [1.0] * 1536, 0, 1, "a")])
    assert len(large.search(owner.user_id, [1.0] * 1536, limit=3)) == 1
    large.close()


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


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
