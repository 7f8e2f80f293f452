"""Election by an advisory lock, held by a connection of its own.

A process that dies loses its connection and so its lock; of one that stands still, the server ends the session.
"""

import zlib
from contextlib import ExitStack

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from biblio.adapters.catalog.postgresql.errors import translated

LOCKS = 7_201_100
STANDSTILL = "10s"


def lock_of(name: str) -> int:
    return LOCKS + zlib.crc32(name.encode()) % 1_000_000


class PostgresLeadership:
    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = lock_of(name)
        self._held: Connection | None = None

    def is_mine(self) -> bool:
        if self._held is not None:
            return self._still_held(self._held)
        with translated(), ExitStack() as unless_elected:
            connection = unless_elected.enter_context(self._engine.connect())
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                connection.execute(text(f"SET idle_session_timeout = '{STANDSTILL}'"))
                connection.detach()  # its place in the pool is free for another
                unless_elected.pop_all()
                self._held = connection
        return self._held is not None

    def resign(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()  # ends the session, and so frees the lock

    def _still_held(self, connection: Connection) -> bool:
        try:
            connection.execute(text("SELECT 1"))
        except DBAPIError:
            self.resign()
            return False
        return True
