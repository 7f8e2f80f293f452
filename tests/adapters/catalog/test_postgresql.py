"""The catalog in PostgreSQL."""

import multiprocessing
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from biblio.adapters.catalog.postgresql import connect
from biblio.adapters.catalog.postgresql.tables import metadata
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Conflict, Misconfigured, NotFound, Unavailable
from biblio.ports.catalog import Catalog
from tests.contracts.catalog import CatalogContract

MIGRATIONS = Path(__file__).parents[3] / "migrations"
TABLES = set(metadata.tables)


@pytest.fixture(scope="module")
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_DATABASE"])


@pytest.fixture(scope="module")
def shared(dsn: Dsn) -> Iterator[Catalog]:
    catalog = connect(dsn)
    catalog.prepare()
    yield catalog
    catalog.close()


class TestPostgresql(CatalogContract):
    @pytest.fixture
    def catalog(self, shared: Catalog) -> Catalog:
        return shared

    @pytest.fixture
    def absent(self, dsn: Dsn) -> Catalog:
        return connect(replace(dsn, port=_closed_port()))

    @pytest.fixture
    def stored(self, dsn: Dsn) -> Callable[[], dict[str, list[str]]]:
        def read() -> dict[str, list[str]]:
            with psycopg.connect(replace(dsn, scheme="postgresql").text()) as connection:
                return {
                    name: [row for (row,) in connection.execute(f"SELECT t::text FROM {name} AS t".encode())]
                    for name in TABLES
                }

        return read


@contextmanager
def _migrating(dsn: Dsn) -> Iterator[tuple[Config, Connection]]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sqlalchemy.create_engine(dsn.text())
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            yield config, connection
    finally:
        engine.dispose()


def _tables(connection: Connection) -> set[str]:
    return set(sqlalchemy.inspect(connection).get_table_names()) - {"alembic_version"}


def test_an_empty_database_gets_its_tables_loses_them_and_gets_them_again(empty: Dsn) -> None:
    with _migrating(empty) as (config, connection):
        assert _tables(connection) == set()
        for _ in range(2):
            command.upgrade(config, "head")
            assert _tables(connection) == TABLES
            command.downgrade(config, "base")
            assert _tables(connection) == set()


def test_migrations_and_tables_say_the_same(empty: Dsn) -> None:
    with _migrating(empty) as (config, connection):
        command.upgrade(config, "head")
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_uploads_that_were_under_way_go_on_after_the_upgrade(empty: Dsn) -> None:
    with _migrating(empty) as (config, connection):
        command.upgrade(config, "0001")
        connection.execute(sqlalchemy.text("INSERT INTO users (id, name) VALUES ('u', 'u')"))
        for number, status in enumerate(("UPLOADING", "COMPLETED")):
            values = f"('{UUID(int=number)}', 'u', 't', 'f.mp4', 1, 'video/mp4', 'k', '{status}')"
            columns = "id, user_id, title, file_name, file_size, mime_type, key, status"
            connection.execute(sqlalchemy.text(f"INSERT INTO videos ({columns}) VALUES {values}"))
        command.upgrade(config, "head")
    catalog = connect(empty)
    with catalog.transaction() as tx:
        assert not tx.uploads.get(str(UUID(int=0))).is_over
        assert [tx.videos.get(str(UUID(int=number))).acknowledged for number in (0, 1)] == [False, True]
        with pytest.raises(NotFound):
            tx.uploads.get(str(UUID(int=1)))
    catalog.close()


def _prepare(address: str, gate: "multiprocessing.synchronize.Barrier") -> None:
    catalog = connect(Dsn.parse(address))
    gate.wait(30)
    catalog.prepare()
    catalog.ping()


def test_two_processes_that_start_at_once_migrate_one_after_the_other(empty: Dsn) -> None:
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(2)
    processes = [spawn.Process(target=_prepare, args=(empty.text(), gate)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    with _migrating(empty) as (_, connection):
        assert _tables(connection) == TABLES


def test_a_database_without_tables_is_misconfigured(empty: Dsn) -> None:
    catalog = connect(empty)
    with pytest.raises(Misconfigured, match="biblio migrate"):
        catalog.ping()
    catalog.prepare()
    catalog.ping()


def test_a_database_that_is_down_is_unavailable_at_once_and_its_password_shows_nowhere(dsn: Dsn) -> None:
    catalog = connect(replace(dsn, port=_closed_port(), password="hidden-pass-phrase"))
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        catalog.ping()
    assert time.monotonic() - began < 3
    assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(catalog)


def test_a_database_that_does_not_answer_is_unavailable(dsn: Dsn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        catalog = connect(replace(dsn, port=silent.getsockname()[1]))
        began = time.monotonic()
        with pytest.raises(Unavailable):
            catalog.ping()
        assert time.monotonic() - began < 10


def test_a_wrong_password_user_or_database_is_misconfigured_and_shown_nowhere(dsn: Dsn) -> None:
    for wrong in (
        replace(dsn, password="hidden-pass-phrase"),
        replace(dsn, password=None),
        replace(dsn, username="nobody", password="hidden-pass-phrase"),
        replace(dsn, path="nowhere"),
    ):
        catalog = connect(wrong)
        for call in (catalog.ping, catalog.prepare):
            with pytest.raises(Misconfigured, match="BIBLIO_DATABASE") as caught:
                call()
            assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(catalog)


def test_a_connection_the_server_closed_is_opened_again(owner: Dsn, empty: Dsn) -> None:
    catalog = connect(empty)
    catalog.prepare()
    with psycopg.connect(replace(owner, scheme="postgresql").text(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [empty.path])
    catalog.ping()


def test_a_connection_cut_in_the_middle_is_unavailable_and_leaves_nothing(owner: Dsn, empty: Dsn) -> None:
    catalog = connect(empty)
    catalog.prepare()
    with pytest.raises(Unavailable), catalog.transaction() as tx:
        tx.users.add("김철수")
        with psycopg.connect(replace(owner, scheme="postgresql").text(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [empty.path]
            )
        tx.users.add("이영희")
    with catalog.transaction() as tx:
        assert tx.users.id_of("김철수") is None


def test_no_free_connection_is_unavailable(dsn: Dsn) -> None:
    catalog = connect(replace(dsn, options={"pool_size": "1", "pool_overflow": "0", "pool_seconds": "0.2"}))
    with catalog.transaction(), pytest.raises(Unavailable):
        catalog.ping()
    catalog.ping()


def test_an_error_of_ours_passes_through_as_it_is(shared: Catalog) -> None:
    with pytest.raises(Conflict, match="mine"), shared.transaction():
        raise Conflict("mine")


def test_an_unknown_option_is_refused(dsn: Dsn) -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'pool_size'"):
        connect(replace(dsn, options={"poolsize": "3"}))


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
