"""Databases of one's own, empty, on a PostgreSQL of one's own."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from biblio.dsn import Dsn
from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack
from tests.database import look_into

ELSEWHERE = dict.fromkeys(("BIBLIO_STORAGE", "BIBLIO_QUEUE", "BIBLIO_LIMITER"), "given://elsewhere")


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dsn]:
    """The superuser of a PostgreSQL that no other test uses."""
    folder = DataFolder(tmp_path_factory.mktemp("postgres"))
    with LocalStack(folder, programs=lambda *_: (), prepare=lambda _: None, given=ELSEWHERE) as stack:
        dsn = Dsn.parse(stack.addresses["BIBLIO_DATABASE"])
        yield replace(dsn, username="postgres", password=folder.secret("postgres-owner"), path="postgres")


@pytest.fixture
def empty(owner: Dsn) -> Dsn:
    """A database without a single table."""
    name = f"empty_{uuid4().hex}"
    with look_into(owner) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return replace(owner, path=name)


@pytest.fixture
def bound(owner: Dsn, empty: Dsn) -> Dsn:
    """The same database, as a role that row level security binds and that everything in it belongs to."""
    name, password = f"role_{uuid4().hex}", uuid4().hex
    with look_into(owner) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'".encode())
        connection.execute(f"ALTER DATABASE {empty.path} OWNER TO {name}".encode())
    return replace(empty, username=name, password=password)
