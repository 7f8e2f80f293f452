"""The door: one connection pool, one transaction at a time, one table of errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, Self

import psycopg
import sqlalchemy
from sqlalchemy import text

from biblio.adapters.catalog.postgresql.answers import PostgresAnswers
from biblio.adapters.catalog.postgresql.errors import translated
from biblio.adapters.catalog.postgresql.events import CHANNEL, PostgresEvents
from biblio.adapters.catalog.postgresql.finder import PostgresFinder
from biblio.adapters.catalog.postgresql.gauges import PostgresGauges
from biblio.adapters.catalog.postgresql.holdings import PostgresHoldings
from biblio.adapters.catalog.postgresql.jobs import PostgresJobs
from biblio.adapters.catalog.postgresql.leadership import PostgresLeadership
from biblio.adapters.catalog.postgresql.outbox import PostgresOutbox
from biblio.adapters.catalog.postgresql.passages import PostgresPassages
from biblio.adapters.catalog.postgresql.row_security import EVERYBODY, enter, warn_if_unbound
from biblio.adapters.catalog.postgresql.sessions import PostgresSessions
from biblio.adapters.catalog.postgresql.uploads import PostgresUploads
from biblio.adapters.catalog.postgresql.usage import PostgresUsage
from biblio.adapters.catalog.postgresql.users import PostgresUsers
from biblio.adapters.catalog.postgresql.videos import PostgresVideos
from biblio.adapters.catalog.postgresql.workers import PostgresWorkers
from biblio.dsn import Dsn, Options
from biblio.errors import Misconfigured

MIGRATION_LOCK = 7_201_001
"""Two servers that start at once migrate one after the other."""


SESSION = {
    "application_name": "biblio",
    "connect_timeout": 5,
    # A host that vanished without a word must not hold a thread for the system's quarter of an hour, or two.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}
PATIENCE = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=15s"
"""No transaction waits for anything but the database, so one that stands still belongs to a process that does, and must
not hold up the others with its locks."""


class PostgresOptions(Options):
    pool_size: int = 5
    pool_overflow: int = 15
    pool_seconds: float = 10.0


@dataclass(frozen=True)
class PostgresTransaction:
    users: PostgresUsers
    sessions: PostgresSessions
    videos: PostgresVideos
    jobs: PostgresJobs
    outbox: PostgresOutbox
    events: PostgresEvents
    holdings: PostgresHoldings
    usage: PostgresUsage
    passages: PostgresPassages
    finder: PostgresFinder
    workers: PostgresWorkers
    uploads: PostgresUploads
    answers: PostgresAnswers
    gauges: PostgresGauges


class PostgresCatalog:
    def __init__(self, engine: sqlalchemy.Engine, user: str = EVERYBODY) -> None:
        self._engine = engine
        self._user = user

    def of(self, user_id: str) -> Self:
        return type(self)(self._engine, user_id)

    @contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[PostgresTransaction]:
        with translated(), self._engine.connect() as connection:
            if snapshot:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                enter(connection, self._user)
                yield _views(connection)

    @contextmanager
    def listen(self, *, seconds: float) -> Iterator[Iterator[str | None]]:
        with translated(), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            # Never given back to the pool: it would go on listening there.
            connection.detach()
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            yield _heard(driver, seconds)

    def leadership(self, name: str) -> PostgresLeadership:
        return PostgresLeadership(self._engine, name)

    def prepare(self) -> None:
        # Alembic takes a third of a second to import, and only whoever prepares needs it.
        from biblio.adapters.catalog.postgresql.migrate import migrate

        with translated(), self._engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # the other one may migrate for a while
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            migrate(connection)

    def ping(self) -> None:
        from biblio.adapters.catalog.postgresql.migrate import lags_behind

        with translated(), self._engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM videos LIMIT 0"))
            if lags_behind(connection):
                raise Misconfigured("The tables are older than biblio: run `biblio migrate`.", code="NOT_MIGRATED")

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
    options = dsn.read_options(PostgresOptions)
    engine = sqlalchemy.create_engine(
        url,
        pool_size=options.pool_size,
        max_overflow=options.pool_overflow,
        pool_timeout=options.pool_seconds,
        pool_pre_ping=True,
        hide_parameters=True,  # what people said belongs into no log
        connect_args={**SESSION, "options": f"-c timezone=UTC {PATIENCE}"},
    )
    sqlalchemy.event.listen(engine, "first_connect", warn_if_unbound)
    return PostgresCatalog(engine)


def _views(connection: sqlalchemy.Connection) -> PostgresTransaction:
    views: dict[str, Any] = {view.name: view.type for view in fields(PostgresTransaction)}
    return PostgresTransaction(**{name: make(connection) for name, make in views.items()})


def _heard(connection: "psycopg.Connection[Any]", seconds: float) -> Iterator[str | None]:
    while True:
        # All of them first: between two pieces of psycopg's generator the connection can't even be closed.
        notices = list(connection.notifies(timeout=seconds, stop_after=1))
        yield from (notice.payload for notice in notices)
        if not notices:
            connection.execute("SELECT 1")  # so that a database that went away is noticed
            yield None
