"""How much there is to do, counted."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, extract, func, select, text

from biblio.adapters.catalog.postgresql.leadership import lock_of
from biblio.adapters.catalog.postgresql.tables import jobs, videos, workers
from biblio.adapters.catalog.postgresql.waiting import CURRENT, EXPIRED, NOW, READY
from biblio.domain.flow import Queue, Status
from biblio.ports.gauges import Gauges
from biblio.ports.leadership import SWEEP

_RUNNING = and_(jobs.c.state == "RUNNING", jobs.c.lease_until >= NOW)
_DELAYED = and_(jobs.c.state == "READY", jobs.c.not_before > NOW)
_WAITED = extract("epoch", NOW - func.greatest(jobs.c.created_at, jobs.c.not_before))
_HELD = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key "
    "AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


class PostgresGauges:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, *, seconds: float) -> Gauges:
        rows = {row.queue: row._mapping for row in self._connection.execute(_open_jobs())}
        recent = workers.c.seen_at > NOW - timedelta(seconds=seconds)
        return Gauges(
            **{
                name: {queue.value: float(rows[queue][name] or 0) if queue in rows else 0.0 for queue in Queue}
                for name in _COUNTS
            },
            workers=self._counted(select(workers.c.queue, func.count()).where(recent).group_by(workers.c.queue), Queue),
            videos=self._counted(select(videos.c.status, func.count()).group_by(videos.c.status), Status),
            is_led=self.is_led(SWEEP),
        )

    def is_led(self, name: str) -> bool:
        return bool(self._connection.scalar(_HELD, {"key": lock_of(name)}))

    def _counted(self, query: Select[Any], names: type[Queue] | type[Status]) -> dict[str, float]:
        counted = {name: float(count) for name, count in self._connection.execute(query)}
        return {name.value: counted.get(name.value, 0.0) for name in names}


_COUNTS: dict[Any, Any] = {
    "ready": func.count().filter(READY),
    "oldest": func.max(_WAITED).filter(READY),
    "delayed": func.count().filter(_DELAYED),
    "running": func.count().filter(_RUNNING),
    "expired": func.count().filter(EXPIRED),
}
"""By the names of the fields of `Gauges`."""


def _open_jobs() -> Select[Any]:
    counts = [count.label(name) for name, count in _COUNTS.items()]
    is_open = jobs.c.state.in_(["READY", "RUNNING"])
    return select(jobs.c.queue, *counts).select_from(jobs.join(videos, CURRENT)).where(is_open).group_by(jobs.c.queue)
