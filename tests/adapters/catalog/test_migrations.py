"""The migrations of the catalog's tables, forth and back, with what was there before."""

import multiprocessing
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from biblio.adapters.catalog.postgresql import connect
from biblio.adapters.catalog.postgresql.tables import metadata
from biblio.domain.flow import Queue, Status, Step
from biblio.domain.listing import Chosen, Sort
from biblio.domain.search import EVERYWHERE
from biblio.domain.transcript import Sentence
from biblio.dsn import Dsn
from biblio.errors import NotFound
from biblio.ports.usage import Used
from tests.database import look_into

MIGRATIONS = Path(__file__).parents[3] / "migrations"
TABLES = set(metadata.tables)


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


JOBS_OF_BEFORE = """
    INSERT INTO users (id, name) VALUES ('u', 'u'), ('v', 'v');
    INSERT INTO videos (id, user_id, title, file_name, file_size, mime_type, key, status, generation)
    SELECT CAST(id AS uuid), owner, 't', 'f.mp4', 1, 'video/mp4', 'k', status, generation
    FROM (VALUES ('{0}', 'u', 'TRANSCRIBING', 1), ('{1}', 'v', 'DELETING', 2)) AS old (id, owner, status, generation);
    INSERT INTO jobs (video_id, generation, step, queue, state, attempt, result, lease_until) VALUES
    ('{0}', 1, 'extract', 'media', 'DONE', 1, '{{"speech": "s.flac"}}', NULL),
    ('{0}', 1, 'transcribe', 'ai', 'RUNNING', 2, NULL, now() - interval '1 second'),
    ('{1}', 1, 'extract', 'media', 'READY', 0, NULL, NULL),
    ('{1}', 2, 'delete', 'index', 'READY', 0, NULL, NULL)
"""


def test_jobs_that_were_under_way_go_on_after_the_upgrade_and_after_a_downgrade(empty: Dsn) -> None:
    heard, deleted = (str(UUID(int=number)) for number in (1, 2))
    for _ in range(2):
        with _migrating(empty) as (config, connection):
            command.upgrade(config, "0002")
            connection.execute(sqlalchemy.text("DELETE FROM users"))
            connection.exec_driver_sql(JOBS_OF_BEFORE.format(heard, deleted))
            command.upgrade(config, "head")
        catalog = connect(empty)
        with catalog.transaction() as tx:
            mine = tx.jobs.claim(Queue.AI, "me", seconds=30)
            assert mine is not None
            assert (mine.video.id, mine.attempt, mine.tries) == (heard, 3, 1)
            assert mine.results == {Step.EXTRACT: {"speech": "s.flac"}}
            assert tx.jobs.claim(Queue.MEDIA, "me", seconds=30) is None
            gone = tx.jobs.claim(Queue.INDEX, "me", seconds=30)
            assert gone is not None
            assert (gone.video.id, gone.video.status, gone.step) == (deleted, Status.DELETING, Step.DELETE)
            tx.jobs.request(mine.video, Step.CLEANUP)
            tx.usage.add(mine.video, Used("bytes_stored", 1.0, "storage"))
            assert tx.events.last("u") == 0
        catalog.close()
        with _migrating(empty) as (config, connection):
            command.downgrade(config, "0002")
            left = connection.execute(
                sqlalchemy.text("SELECT step, state FROM jobs ORDER BY video_id, generation, step")
            )
            assert [tuple(row) for row in left] == [
                ("extract", "DONE"),
                ("transcribe", "RUNNING"),
                ("extract", "READY"),
                ("delete", "RUNNING"),
            ]
            for table in ("jobs", "videos"):
                connection.execute(sqlalchemy.text(f"DELETE FROM {table}"))


TALKS_OF_BEFORE = """
    INSERT INTO users (id, name) VALUES ('u', 'u'), ('v', 'v');
    INSERT INTO videos (id, user_id, title, file_name, file_size, mime_type, key, status, generation,
                        indexed_generation, script)
    SELECT CAST(id AS uuid), owner, 'index', 'f.mp4', 1, 'video/mp4', 'k', 'COMPLETED', 2, 2, '하나 둘'
    FROM (VALUES ('{0}', 'u'), ('{1}', 'v')) AS old (id, owner);
    INSERT INTO segments (video_id, generation, position, start_time, end_time, text)
    SELECT id, generation, position, position * 2.5, position * 2.5 + 2, text
    FROM videos, (VALUES (0, '하나'), (1, '둘')) AS said (position, text);
    INSERT INTO passages (id, video_id, user_id, generation, position, start_time, end_time, sentences, terms)
    SELECT gen_random_uuid(), id, user_id, 2, 0, 0, 4.5, '[["하나", 0, 2], ["둘", 2.5, 4.5]]', '' FROM videos
"""


def test_transcripts_are_read_as_before_after_the_upgrade_and_after_a_downgrade(empty: Dsn, bound: Dsn) -> None:
    """Though the role that migrates is one that sees no row unless it says for whom."""
    mine, theirs = (str(UUID(int=number)) for number in (1, 2))
    said = ("하나 둘", (Sentence("하나", 0.0, 2.0), Sentence("둘", 2.5, 4.5)))
    with _migrating(bound) as (config, _):
        command.upgrade(config, "0004")
    with look_into(empty) as everybody:
        everybody.execute(TALKS_OF_BEFORE.format(mine, theirs).encode())
    for _ in range(2):
        catalog = connect(bound)
        catalog.prepare()
        with catalog.transaction() as tx:
            for video_id, user in ((mine, "u"), (theirs, "v")):
                assert tx.videos.transcript(video_id) == said
                ids = tx.passages.ids(video_id)[2]
                assert [hit.passage.text for hit in tx.finder.by_ids(user, ids).values()] == ["하나", "둘"]
                assert tx.finder.by_ids("u" if user == "v" else "v", ids) == {}
                assert tx.finder.by_words(user, ["index"], limit=9, scope=EVERYWHERE) == {}, "until it is indexed anew"
        catalog.close()
        with _migrating(bound) as (config, connection):
            connection.execute(sqlalchemy.text("SELECT set_config('biblio.user', '*', true)"))
            command.downgrade(config, "0004")
        with look_into(empty) as everybody:
            rows = everybody.execute("SELECT start_time, end_time, text FROM segments ORDER BY video_id, position")
            assert rows.fetchall() == [(0.0, 2.0, "하나"), (2.5, 4.5, "둘")] * 2


def test_titles_are_sorted_and_found_after_the_upgrade(empty: Dsn) -> None:
    titles = ["강의 10", "Lecture 2", unicodedata.normalize("NFD", "강의 9"), "lecture 1"]
    with _migrating(empty) as (config, connection):
        command.upgrade(config, "0005")
        connection.execute(sqlalchemy.text("INSERT INTO users (id, name) VALUES ('u', 'u')"))
        columns = "id, user_id, title, file_name, file_size, mime_type, key, status"
        row = f"INSERT INTO videos ({columns}) VALUES (:id, 'u', :title, 'f.mp4', 1, 'video/mp4', 'k', 'PENDING')"
        values = [{"id": UUID(int=number), "title": title} for number, title in enumerate(titles)]
        connection.execute(sqlalchemy.text(row), values)
        command.upgrade(config, "head")
    catalog = connect(empty)
    with catalog.transaction() as tx:
        listed = tx.videos.page("u", limit=9, sort=Sort.TITLE).videos
        assert [video.title for video in listed] == [titles[3], titles[1], titles[2], titles[0]]
        assert len(tx.videos.page("u", limit=9, chosen=Chosen(title="강의")).videos) == 2
    catalog.close()


def test_usage_by_several_engines_is_that_of_one_after_a_downgrade(empty: Dsn) -> None:
    video, used = UUID(int=1), "SELECT generation, unit, engine, amount FROM usage ORDER BY generation, unit, engine"
    rows = [
        {"generation": 1, "unit": "seconds_transcribed", "engine": "google chirp_2", "amount": 40.0},
        {"generation": 1, "unit": "seconds_transcribed", "engine": "whisper base", "amount": 20.5},
        {"generation": 1, "unit": "bytes_stored", "engine": "storage", "amount": 7.0},
        {"generation": 2, "unit": "seconds_transcribed", "engine": "whisper base", "amount": 60.5},
    ]
    with _migrating(empty) as (config, connection):
        command.upgrade(config, "head")
        connection.execute(sqlalchemy.text("SELECT set_config('biblio.user', '*', true)"))
        connection.execute(sqlalchemy.text("INSERT INTO users (id, name) VALUES ('u', 'u')"))
        columns = "video_id, user_id, generation, unit, engine, amount"
        row = f"INSERT INTO usage ({columns}) VALUES ('{video}', 'u', :generation, :unit, :engine, :amount)"
        connection.execute(sqlalchemy.text(row), rows)
        command.downgrade(config, "0006")
        joined = [
            (1, "bytes_stored", "storage", 7.0),
            (1, "seconds_transcribed", "google chirp_2", 60.5),
            (2, "seconds_transcribed", "whisper base", 60.5),
        ]
        assert [tuple(row) for row in connection.execute(sqlalchemy.text(used))] == joined
        command.upgrade(config, "head")
        assert [tuple(row) for row in connection.execute(sqlalchemy.text(used))] == joined


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
