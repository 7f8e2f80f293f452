"""Vectors in PostgreSQL through pgvector: the table `vectors`, with a partition for every space, and in it PARTS more,
each with an index (HNSW) and all vectors of some users.

A user with few vectors is searched exactly, so complete; of many, the index leads to the nearest ones of all users of
the part, and is read on until enough are this user's. Numbers are kept with 16 bits. Source:
https://github.com/pgvector/pgvector
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import numpy as np
import psycopg
import sqlalchemy
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import Field

from biblio.adapters.vectors.pgvector_errors import translated
from biblio.domain.search import EVERYWHERE, Scope
from biblio.dsn import Dsn, Options
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
ENTER = "SELECT set_config('biblio.user', %s, true), set_config('enable_seqscan', 'off', true)"
"""Whose rows are there, and that an index leads to them: one user's are seldom so many that all others' had better be
read with them."""
GUARD = "(SELECT NULLIF(current_setting('biblio.user', true), '')) IN ('*', user_id)"

WALK = (
    "SELECT set_config('hnsw.ef_search', %s, true), set_config('hnsw.iterative_scan', 'relaxed_order', true), "
    "set_config('hnsw.max_scan_tuples', '100000', true), set_config('enable_sort', 'off', true)"
)
"""Read the index on until enough is found, and let nothing be sorted that the index has in order already."""

PARTS = 16
"""Of a space. A user lives in one of them, so there are fewer others to walk past, and none of their users is in the
way of the rest (docs/decisions/0019)."""

EXACT_UP_TO, WALK_COST = 10_000, 1_300
"""Vectors of one user that are compared one by one, about 1 us each. In a part of N vectors it is more of them: up to
the root of WALK_COST x N, from where on walking the index to enough of this user's is cheaper (docs/decisions/0019)."""

BELIEVED_SECONDS, MOST_BELIEVED = 60.0, 10_000

INDEXED_UP_TO = 4_000
"""Dimensions. Beyond, there is no index for 16 bits, and every search is exact."""

LINKS, BUILD_WIDTH, SEARCH_WIDTH = 16, 200, 300
"""HNSW's m, ef_construction and ef_search (docs/decisions/0019)."""


class PgvectorOptions(Options):
    """`dimension` and `space` are the embedder's; bootstrap fills them in."""

    dimension: int = Field(gt=0, le=16_000)
    space: str
    pool_size: int = 5


class PgvectorStore:
    def __init__(self, url: sqlalchemy.URL, options: PgvectorOptions) -> None:
        self._dimension = options.dimension
        self._space = options.space
        self._table = f"vectors_{sha256(options.space.encode()).hexdigest()[:12]}"
        self._indexed = f"(values::halfvec({options.dimension}))"
        self._believed: dict[str, tuple[bool, float]] = {}  # whether a user has many, and until when
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
                "CREATE TABLE IF NOT EXISTS vectors (space text NOT NULL, id uuid NOT NULL, user_id text NOT NULL, "
                "video_id uuid NOT NULL, generation int NOT NULL, metadata jsonb NOT NULL, values halfvec NOT NULL, "
                "PRIMARY KEY (space, user_id, id)) PARTITION BY LIST (space)"
            )
            connection.execute("CREATE INDEX IF NOT EXISTS vectors_by_owner ON vectors (user_id, video_id, generation)")
            if connection.execute("SELECT to_regclass(%s)", [self._table]).fetchone() == (None,):
                self._add_space(connection)
            for table in ("vectors", self._table, *self._parts()):
                self._guard(connection, table)

    def ping(self) -> None:
        with self._connection(EVERYBODY) as connection:
            connection.execute(f"SELECT values <=> values FROM {self._table} LIMIT 1")

    def close(self) -> None:
        self._engine.dispose()

    def upsert(self, owner: Owner, records: Sequence[VectorRecord]) -> None:
        with self._connection(owner.user_id) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE incoming (LIKE {self._table}) ON COMMIT DROP")
            columns = "space, id, user_id, video_id, generation, metadata, values"
            with cursor.copy(f"COPY incoming ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["text", "uuid", "text", "uuid", "int4", "jsonb", "bytea"])
                for record in records:
                    copy.write_row(self._row(owner, record))
            cursor.execute(
                f"INSERT INTO {self._table} ({columns}) SELECT {columns} FROM incoming ORDER BY id "
                "ON CONFLICT (space, user_id, id) DO UPDATE SET metadata = EXCLUDED.metadata, values = EXCLUDED.values"
            )

    def search(self, user_id: str, question: Vector, *, limit: int, scope: Scope = EVERYWHERE) -> list[Near]:
        inside = "AND video_id = ANY(%(only)s::uuid[])" if scope.only is not None else ""
        outside = "AND video_id <> ALL(%(without)s::uuid[])" if scope.without else ""
        arguments = {
            "user": user_id,
            "only": list(scope.only or ()),
            "without": list(scope.without),
            "question": _literal(question),
            "limit": limit,
        }
        with self._connection(user_id) as connection:
            by_index = scope.only is None and self._has_many(connection, user_id)
            if by_index:
                connection.execute(WALK, [str(min(1_000, max(limit, SEARCH_WIDTH)))])
            # Exactly: compared in a way that the index does not know. `+ 0`: what the index walked past comes nearly in
            # order, and the planner takes that for order.
            values = self._indexed if by_index else "values"
            rows = connection.execute(
                f"WITH near AS MATERIALIZED (SELECT id::text, video_id::text, generation, "
                f"{values} <=> %(question)s::halfvec({self._dimension}) AS distance FROM {self._table} "
                f"WHERE user_id = %(user)s {inside} {outside} ORDER BY distance LIMIT %(limit)s) "
                "SELECT id, video_id, generation, 1 - distance FROM near ORDER BY distance + 0, id",
                arguments,
                prepare=False,  # planned for this very user
            )
            return [Near(*row) for row in rows]

    def similarities(self, user_id: str, question: Vector, ids: Sequence[str]) -> dict[str, float]:
        query = (
            f"SELECT id::text, 1 - (values <=> %s::halfvec) FROM {self._table} "
            "WHERE id = ANY(%s::uuid[]) AND space = %s AND user_id = %s"
        )
        with self._connection(user_id) as connection:
            rows = connection.execute(query, [_literal(question), list(ids), self._space, user_id])
            return dict(rows)

    def remove(self, user_id: str, video_id: str, *, generation: int | None = None) -> None:
        query = "DELETE FROM vectors WHERE user_id = %s AND video_id = %s"
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
        place = (UUID(record.id), owner.user_id, UUID(owner.video_id), owner.generation)
        return (self._space, *place, metadata, _binary(record.values))

    def _has_many(self, connection: psycopg.Connection[Any], user_id: str) -> bool:
        """Counting takes a millisecond or two, so it is believed for a while: both ways find."""
        if self._dimension > INDEXED_UP_TO:
            return False
        has_many, until = self._believed.get(user_id, (False, 0.0))
        if until > time.monotonic():
            return has_many
        query = (
            f"WITH part AS (SELECT tableoid FROM {self._table} WHERE user_id = %(user)s LIMIT 1), "
            "bound AS (SELECT greatest(%(exact)s, sqrt(%(cost)s * greatest(reltuples, 0)))::int AS most FROM pg_class "
            f"JOIN part ON oid = part.tableoid) SELECT most < (SELECT count(*) FROM (SELECT 1 FROM {self._table} "
            "WHERE user_id = %(user)s LIMIT (SELECT most + 1 FROM bound)) AS counted) FROM bound"
        )
        arguments = {"user": user_id, "exact": EXACT_UP_TO, "cost": WALK_COST}
        has_many = connection.execute(query, arguments).fetchone() == (True,)
        if len(self._believed) >= MOST_BELIEVED:
            self._believed.clear()
        self._believed[user_id] = has_many, time.monotonic() + BELIEVED_SECONDS
        return has_many

    def _add_space(self, connection: psycopg.Connection[Any]) -> None:
        table, space = sql.Identifier(self._table), sql.Literal(self._space)
        connection.execute(
            sql.SQL(
                "CREATE TABLE {} PARTITION OF vectors (CONSTRAINT dimension CHECK (vector_dims(values) = {})) "
                "FOR VALUES IN ({}) PARTITION BY HASH (user_id)"
            ).format(table, sql.Literal(self._dimension), space)
        )
        for number, part in enumerate(self._parts()):
            connection.execute(
                f"CREATE TABLE {part} PARTITION OF {self._table} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {number})"
            )
        if self._dimension <= INDEXED_UP_TO:
            connection.execute(
                f"CREATE INDEX {self._table}_near ON {self._table} USING hnsw ({self._indexed} halfvec_cosine_ops) "
                f"WITH (m = {LINKS}, ef_construction = {BUILD_WIDTH})"
            )

    def _parts(self) -> Iterator[str]:
        return (f"{self._table}_{number:02}" for number in range(PARTS))

    def _guard(self, connection: psycopg.Connection[Any], table: str) -> None:
        """Only once: to guard a table it is locked against its readers."""
        guarded = "SELECT relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
        if connection.execute(guarded, [table]).fetchone() != (True,):
            connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
            connection.execute(f"CREATE POLICY own_rows ON {table} USING ({GUARD})")

    @contextmanager
    def _connection(self, user_id: str) -> Iterator[psycopg.Connection[Any]]:
        """One transaction, in which other users' rows are not there."""
        with translated(), closing(self._engine.raw_connection()) as pooled:
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
    return "[" + ",".join(["%.8g"] * len(vector)) % tuple(vector) + "]"


def _binary(vector: Vector) -> bytes:
    """As pgvector sends it: how many numbers, two bytes of nothing, the numbers."""
    values = np.asarray(vector, dtype=">f2")
    return len(values).to_bytes(2, "big") + b"\0\0" + values.tobytes()
