"""Sessions of browsers and one-time tokens, by their digests."""

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.digests import digest
from biblio.adapters.catalog.postgresql.tables import sessions, sign_in_tokens, users
from biblio.ports.sessions import Session

LAZY = timedelta(hours=1)
"""A session is not written at every call, only when this much of its time has gone."""

NOW = func.clock_timestamp()


class PostgresSessions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, user_id: str, session_id: str, *, seconds: float) -> None:
        until = NOW + timedelta(seconds=seconds)
        row = insert(sessions).values(digest=digest(session_id), user_id=user_id, expires_at=until)
        self._connection.execute(row)

    def find(self, session_id: str, *, seconds: float) -> Session | None:
        key, lifetime = digest(session_id), timedelta(seconds=seconds)
        query = (
            select(users.c.id, users.c.name, (sessions.c.expires_at < NOW + lifetime - LAZY).label("is_stale"))
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.digest == key, sessions.c.expires_at > NOW)
        )
        row = self._connection.execute(query).one_or_none()
        if row is not None and row.is_stale:
            used = update(sessions).where(sessions.c.digest == key).values(expires_at=NOW + lifetime)
            self._connection.execute(used)
        return Session(row.id, row.name) if row is not None else None

    def close(self, session_id: str) -> bool:
        mine = sessions.c.digest == digest(session_id)
        return self._connection.execute(delete(sessions).where(mine, sessions.c.expires_at > NOW)).rowcount > 0

    def give_token(self, user_id: str, token: str, *, seconds: float) -> None:
        until = NOW + timedelta(seconds=seconds)
        row = insert(sign_in_tokens).values(digest=digest(token), user_id=user_id, expires_at=until)
        self._connection.execute(row)

    def spend_token(self, token: str) -> str | None:
        # The second of two waits here for the first one's end, and then finds nothing.
        mine = delete(sign_in_tokens).where(sign_in_tokens.c.digest == digest(token), sign_in_tokens.c.expires_at > NOW)
        return self._connection.scalar(mine.returning(sign_in_tokens.c.user_id))

    def forget(self) -> int:
        ended = (delete(table).where(table.c.expires_at <= NOW) for table in (sessions, sign_in_tokens))
        return sum(self._connection.execute(one).rowcount for one in ended)
