"""Vectors in PostgreSQL through pgvector, in a table of their own: `vectors_<dimension>`, all spaces side by side.

Searched exactly within one user's rows: complete for every user, however small beside the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
import sqlalchemy
from psycopg.types.json import Jsonb
from pydantic import Field
from sqlalchemy.exc import TimeoutError as PoolTimeout

from biblio.dsn import Dsn, Options
from biblio.errors import AdapterError, Misconfigured, Rejected, Unavailable
from biblio.ports.embedder import Vector
from biblio.ports.vectors import Near, Owner, VectorRecord

SETUP_LOCK = 7_201_002

# As the catalog's, and for the same reasons.
SESSION = {
    "application_name": "biblio",
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}
PATIENCE = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=15s"

EVERYBODY = "*"
"""For whom upkeep reads; every other transaction is for one user, and one that is for nobody sees no row."""
ENTER = "SELECT set_config('biblio.user', %s, true)"
GUARD = "(SELECT NULLIF(current_setting('biblio.user', true), '')) IN ('*', user_id)"

DOOR_SHUT = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist")
"""Parts of what the server says when it lets nobody in; libpq hands on no SQLSTATE for that."""


class PgvectorOptions(Options):
    """`dimension` and `space` are the embedder's; bootstrap fills them in."""

    dimension: int = Field(gt=0, le=16_000)
    space: str
    pool_size: int = 5


class PgvectorStore:
    def __init__(self, url: sqlalchemy.URL, options: PgvectorOptions) -> None:
        self._table = f"vectors_{options.dimension}"
        self._dimension = options.dimension
        self._space = options.space
        # Only its pool: it says at once why it cannot connect, and drops all dead connections with the first one.
        self._engine = sqlalchemy.create_engine(
            url,
            pool_size=options.pool_size,
            pool_timeout=10.0,
            pool_pre_ping=True,
            connect_args={**SESSION, "options": PATIENCE},
        )

    def prepare(self) -> None:
        with self._connection(EVERYBODY) as connection:
            connection.execute("SET LOCAL lock_timeout = 0")  # the other one may be preparing
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP_LOCK])
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {self._table} (id uuid PRIMARY KEY, user_id text NOT NULL, "
                "video_id uuid NOT NULL, generation int NOT NULL, space text NOT NULL, metadata jsonb NOT NULL, "
                f"values vector({self._dimension}) NOT NULL)"
            )
            connection.execute(
                f"CREATE INDEX IF NOT EXISTS {self._table}_by_owner ON {self._table} (user_id, video_id, generation)"
            )
            self._guard(connection)

    def ping(self) -> None:
        with self._connection(EVERYBODY) as connection:
            connection.execute(f"SELECT values <=> values FROM {self._table} LIMIT 1")

    def close(self) -> None:
        self._engine.dispose()

    def upsert(self, owner: Owner, records: Sequence[VectorRecord]) -> None:
        with self._connection(owner.user_id) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE incoming (LIKE {self._table}) ON COMMIT DROP")
            columns = "id, user_id, video_id, generation, space, metadata, values"
            with cursor.copy(f"COPY incoming ({columns}) FROM STDIN") as copy:
                for record in records:
                    copy.write_row(self._row(owner, record))
            cursor.execute(
                f"INSERT INTO {self._table} ({columns}) SELECT {columns} FROM incoming ON CONFLICT (id) DO UPDATE "
                "SET metadata = EXCLUDED.metadata, values = EXCLUDED.values, space = EXCLUDED.space"
            )

    def search(
        self, user_id: str, question: Vector, *, limit: int, video_ids: Sequence[str] | None = None
    ) -> list[Near]:
        inside = "AND video_id = ANY(%(videos)s::uuid[])" if video_ids is not None else ""
        query = (
            f"SELECT id::text, video_id::text, generation, 1 - (values <=> %(question)s::vector) FROM {self._table} "
            f"WHERE user_id = %(user)s AND space = %(space)s {inside} "
            "ORDER BY values <=> %(question)s::vector, id LIMIT %(limit)s"
        )
        arguments: dict[str, Any] = {
            "user": user_id,
            "space": self._space,
            "videos": list(video_ids or ()),
            "question": _literal(question),
            "limit": limit,
        }
        with self._connection(user_id) as connection:
            return [Near(*row) for row in connection.execute(query, arguments)]

    def remove(self, user_id: str, video_id: str, *, generation: int | None = None) -> None:
        query = f"DELETE FROM {self._table} WHERE user_id = %s AND video_id = %s"
        arguments: list[Any] = [user_id, video_id]
        if generation is not None:
            query += " AND generation = %s"
            arguments.append(generation)
        with self._connection(user_id) as connection:
            connection.execute(query, arguments)

    def ids(self, user_id: str, video_id: str) -> dict[int, list[str]]:
        query = f"SELECT generation, id::text FROM {self._table} WHERE user_id = %s AND video_id = %s ORDER BY id"
        found: dict[int, list[str]] = {}
        with self._connection(user_id) as connection:
            for generation, vector_id in connection.execute(query, [user_id, video_id]):
                found.setdefault(generation, []).append(vector_id)
        return found

    def owners(self) -> Iterator[Owner]:
        with self._connection(EVERYBODY) as connection:
            rows = connection.execute(
                f"SELECT DISTINCT user_id, video_id::text, generation FROM {self._table}"
            ).fetchall()
        yield from (Owner(*row) for row in rows)

    def _row(self, owner: Owner, record: VectorRecord) -> tuple[Any, ...]:
        metadata = Jsonb({"start": record.start, "end": record.end, "text": record.text})
        place = (record.id, owner.user_id, owner.video_id, owner.generation)
        return (*place, self._space, metadata, _literal(record.values))

    def _guard(self, connection: psycopg.Connection[Any]) -> None:
        """Only once: to guard a table it is locked against its readers."""
        guarded = "SELECT relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
        if connection.execute(guarded, [self._table]).fetchone() != (True,):
            connection.execute(f"ALTER TABLE {self._table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
            connection.execute(f"CREATE POLICY own_rows ON {self._table} USING ({GUARD})")

    @contextmanager
    def _connection(self, user_id: str) -> Iterator[psycopg.Connection[Any]]:
        """One transaction, in which other users' rows are not there."""
        with _translated(), closing(self._engine.raw_connection()) as pooled:
            connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
            with connection.transaction():
                connection.execute(ENTER, [user_id])
                yield connection


def connect(dsn: Dsn) -> PgvectorStore:
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=dsn.username,
        password=dsn.password,
        host=dsn.host or None,
        port=dsn.port,
        database=dsn.path or None,
    )
    return PgvectorStore(url, dsn.read_options(PgvectorOptions))


def _literal(vector: Vector) -> str:
    return "[" + ",".join(format(value, ".8g") for value in vector) + "]"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, PoolTimeout) as error:
        raise _error(error) from error


def _error(error: psycopg.Error | PoolTimeout) -> AdapterError:
    """The one table that turns psycopg's errors into ours, by SQLSTATE class."""
    state = getattr(error, "sqlstate", None) or ""
    if state == "42501" or state == "0A000" or state == "58P01":
        return Misconfigured("The database has no pgvector, or this user may not add it: CREATE EXTENSION vector.")
    shut_out = not state and any(words in str(error) for words in DOOR_SHUT)
    if shut_out or state.startswith(("28", "3D", "42")):
        return Misconfigured("The vector table is missing, or the database refuses this user: check BIBLIO_VECTORS.")
    if state.startswith("22"):
        return Rejected("A vector has the wrong dimension, or holds what is no number.", code="BAD_VECTOR")
    if state.startswith("23"):
        return Rejected("The vector store refused a row.")
    return Unavailable("The vector database does not answer, or is busy; it is worth another try.")
