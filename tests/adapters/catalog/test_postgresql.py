"""The catalog in PostgreSQL."""

import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from biblio.adapters.catalog.postgresql import connect, finder
from biblio.adapters.catalog.postgresql.tables import metadata
from biblio.domain.flow import Queue
from biblio.domain.video import Video
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Conflict, Misconfigured, Unavailable
from biblio.ports.catalog import Catalog
from tests.contracts.catalog import CatalogContract
from tests.contracts.catalog_suite import add_video, eventually, new_user
from tests.database import look_into

TABLES = set(metadata.tables)
SMALL_SCALE = {"WHOLE": 40, "SAMPLE": 20, "RARE": 80, "OF_ONE": 40, "KEPT": 12}
"""What is true of hundreds of blocks is then true of dozens."""


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
    def cut(self, dsn: Dsn) -> Callable[[], None]:
        return lambda: _cut(dsn)

    @pytest.fixture
    def stored(self, dsn: Dsn) -> Callable[[], dict[str, list[str]]]:
        def read() -> dict[str, list[str]]:
            with look_into(dsn) as connection:
                return {
                    name: [row for (row,) in connection.execute(f"SELECT t::text FROM {name} AS t".encode())]
                    for name in TABLES
                }

        return read

    @pytest.fixture
    def large(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        def shrink() -> None:
            for name, size in SMALL_SCALE.items():
                monkeypatch.setattr(finder, name, size)

        return shrink


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
    with look_into(owner) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [empty.path])
    catalog.ping()


def test_a_connection_cut_in_the_middle_is_unavailable_and_leaves_nothing(owner: Dsn, empty: Dsn) -> None:
    catalog = connect(empty)
    catalog.prepare()
    with pytest.raises(Unavailable), catalog.transaction() as tx:
        tx.users.add("김철수")
        with look_into(owner) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [empty.path]
            )
        tx.users.add("이영희")
    with catalog.transaction() as tx:
        assert tx.users.id_of("김철수") is None


def test_a_row_that_somebody_holds_on_to_is_unavailable_not_an_endless_wait(empty: Dsn) -> None:
    catalog = connect(empty)
    catalog.prepare()
    video = add_video(catalog, new_user(catalog))
    with look_into(empty, autocommit=False) as frozen:
        frozen.execute("SELECT FROM videos FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(Unavailable), catalog.transaction() as tx:
            tx.videos.get(video.id, lock=True)
        assert time.monotonic() - began < 15
    with catalog.transaction() as tx:
        assert tx.videos.get(video.id, lock=True) == video


def test_a_process_that_stands_still_in_a_transaction_loses_it(empty: Dsn) -> None:
    still, others = connect(empty), connect(empty)
    still.prepare()
    video = add_video(still, new_user(still))
    with pytest.raises(Unavailable), still.transaction() as tx:
        tx.videos.update(video.id, title="mine")
        assert eventually(25, lambda: _can_be_locked(others, video))
        tx.videos.get(video.id)
    with others.transaction() as tx:
        assert tx.videos.get(video.id) == video


def _can_be_locked(catalog: Catalog, video: Video) -> bool:
    try:
        with catalog.transaction() as tx:
            return tx.videos.get(video.id, lock=True) == video
    except Unavailable:
        return False


def test_no_free_connection_is_unavailable(dsn: Dsn) -> None:
    catalog = connect(replace(dsn, options={"pool_size": "1", "pool_overflow": "0", "pool_seconds": "0.2"}))
    with catalog.transaction(), pytest.raises(Unavailable):
        catalog.ping()
    catalog.ping()


def test_who_listened_or_led_leaves_no_session_behind(empty: Dsn) -> None:
    catalog = connect(replace(empty, options={"pool_size": "1", "pool_overflow": "0", "pool_seconds": "2"}))
    catalog.prepare()
    assert _sessions(empty) == 1
    for _ in range(3):
        with catalog.listen(seconds=0.05) as heard:
            assert next(heard) is None
            catalog.ping()
        leader = catalog.leadership("sweep")
        assert leader.is_mine()
        catalog.ping()
        assert not catalog.leadership("sweep").is_mine()
        leader.resign()
        with pytest.raises(Conflict), catalog.listen(seconds=0.05):
            raise Conflict("mine")
    catalog.ping()
    assert eventually(3, lambda: _sessions(empty) == 1)
    with catalog.transaction() as tx:
        tx.workers.seen("a worker", Queue.AI)
    catalog.close()
    assert eventually(3, lambda: _sessions(empty) == 0)


def test_an_error_of_ours_passes_through_as_it_is(shared: Catalog) -> None:
    with pytest.raises(Conflict, match="mine"), shared.transaction():
        raise Conflict("mine")


def test_an_unknown_option_is_refused(dsn: Dsn) -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'pool_size'"):
        connect(replace(dsn, options={"poolsize": "3"}))


def _cut(dsn: Dsn) -> None:
    with look_into(dsn) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user "
            "AND datname = current_database() AND pid <> pg_backend_pid()"
        )


def _sessions(dsn: Dsn) -> int:
    with look_into(dsn) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        (count,) = connection.execute(query, [dsn.path]).fetchone() or (None,)
    assert isinstance(count, int)
    return count


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
