"""The door: one connection pool, one transaction at a time, one table of errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from biblio.adapters.catalog.postgresql.answers import PostgresAnswers
from biblio.adapters.catalog.postgresql.jobs import PostgresJobs
from biblio.adapters.catalog.postgresql.passages import PostgresPassages
from biblio.adapters.catalog.postgresql.uploads import PostgresUploads
from biblio.adapters.catalog.postgresql.users import PostgresUsers
from biblio.adapters.catalog.postgresql.videos import PostgresVideos
from biblio.adapters.catalog.postgresql.workers import PostgresWorkers
from biblio.dsn import Dsn, Options
from biblio.errors import AdapterError, Misconfigured, Rejected, Unavailable

MIGRATION_LOCK = 7_201_001
"""Two servers that start at once migrate one after the other."""


DOOR_SHUT = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist")
"""Parts of what the server says when it lets nobody in; libpq hands on no SQLSTATE for that."""


class PostgresOptions(Options):
    pool_size: int = 5
    pool_overflow: int = 15
    pool_seconds: float = 10.0


@dataclass(frozen=True)
class PostgresTransaction:
    users: PostgresUsers
    videos: PostgresVideos
    jobs: PostgresJobs
    passages: PostgresPassages
    workers: PostgresWorkers
    uploads: PostgresUploads
    answers: PostgresAnswers


class PostgresCatalog:
    def __init__(self, url: sqlalchemy.URL, options: PostgresOptions) -> None:
        self._engine = sqlalchemy.create_engine(
            url,
            pool_size=options.pool_size,
            max_overflow=options.pool_overflow,
            pool_timeout=options.pool_seconds,
            pool_pre_ping=True,
            hide_parameters=True,  # what people said belongs into no log
            connect_args={"connect_timeout": 5, "application_name": "biblio", "options": "-c timezone=UTC"},
        )

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with _translated(), self._engine.begin() as connection:
            yield PostgresTransaction(
                PostgresUsers(connection),
                PostgresVideos(connection),
                PostgresJobs(connection),
                PostgresPassages(connection),
                PostgresWorkers(connection),
                PostgresUploads(connection),
                PostgresAnswers(connection),
            )

    def prepare(self) -> None:
        # Alembic takes a third of a second to import, and only whoever prepares needs it.
        from biblio.adapters.catalog.postgresql.migrate import migrate

        with _translated(), self._engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            migrate(connection)

    def ping(self) -> None:
        with _translated(), self._engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM videos LIMIT 1"))

    def close(self) -> None:
        self._engine.dispose()


def connect(dsn: Dsn) -> PostgresCatalog:
    url = sqlalchemy.URL.create(
        dsn.scheme,
        username=dsn.username,
        password=dsn.password,
        host=dsn.host or None,
        port=dsn.port,
        database=dsn.path or None,
    )
    return PostgresCatalog(url, dsn.read_options(PostgresOptions))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise _error(error) from error


def _error(error: DBAPIError | PoolTimeout) -> AdapterError:
    """The one table that turns PostgreSQL's errors into ours, by SQLSTATE class."""
    if isinstance(error, PoolTimeout):
        return Unavailable("The database has no free connection.")
    state = getattr(error.orig, "sqlstate", None) or ""
    shut_out = not state and any(words in str(error.orig) for words in DOOR_SHUT)
    if shut_out or state.startswith("28") or state == "3D000":
        return Misconfigured("The database refuses this user, password or database name: check BIBLIO_DATABASE.")
    if state.startswith("42"):
        return Misconfigured("The database lacks a table or a right: run `biblio migrate`, or check the user's rights.")
    broken = not state and isinstance(error, (OperationalError, InterfaceError))
    if broken or state.startswith(("08", "40", "53", "55", "57", "58")):
        return Unavailable("The database does not answer, or is busy; it is worth another try.")
    return Rejected(f"The database refused the statement ({state or type(error.orig).__name__}).")
