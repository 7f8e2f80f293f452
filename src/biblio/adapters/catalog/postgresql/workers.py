"""Which workers live, by the database's clock."""

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.tables import workers
from biblio.domain.flow import Queue


class PostgresWorkers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def seen(self, name: str, queue: Queue) -> None:
        now = func.clock_timestamp()
        row = insert(workers).values(name=name, queue=queue, seen_at=now)
        self._connection.execute(
            row.on_conflict_do_update(index_elements=["name"], set_={"queue": queue, "seen_at": now})
        )
        self._connection.execute(delete(workers).where(workers.c.seen_at < now - timedelta(days=1)))

    def living(self, *, seconds: float) -> set[Queue]:
        recent = workers.c.seen_at > func.clock_timestamp() - timedelta(seconds=seconds)
        return {Queue(name) for name in self._connection.scalars(select(workers.c.queue).where(recent))}
