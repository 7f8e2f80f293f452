"""Answers by the idempotency key of their request."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.tables import answers
from biblio.errors import InvalidInput


class PostgresAnswers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, user_id: str, key: str, request: bytes) -> dict[str, Any] | None:
        mine = select(answers.c.request, answers.c.answer).where(answers.c.user_id == user_id, answers.c.key == key)
        row = self._connection.execute(mine).one_or_none()
        if row is not None and row.request != request:
            message = "This Idempotency-Key came with another request before: choose a new key for a new request."
            raise InvalidInput(message, code="IDEMPOTENCY_KEY_REUSED")
        return row.answer if row is not None else None

    def keep(self, user_id: str, key: str, request: bytes, answer: dict[str, Any]) -> bool:
        row = insert(answers).values(user_id=user_id, key=key, request=request, answer=answer)
        # The primary key makes a second transaction wait here for the first one's end.
        kept = self._connection.scalar(row.on_conflict_do_nothing().returning(answers.c.key))
        return kept is not None

    def forget(self, *, seconds: float) -> int:
        old = answers.c.created_at < func.clock_timestamp() - timedelta(seconds=seconds)
        return self._connection.execute(delete(answers).where(old)).rowcount
