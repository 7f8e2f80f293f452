"""What was used, once for each video, generation, unit and engine."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.tables import usage
from biblio.domain.video import Video
from biblio.ports.usage import Used, UsedByVideo


class PostgresUsage:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, video: Video, used: Used) -> None:
        place = {"video_id": video.id, "generation": video.generation, "user_id": video.user_id}
        what = {"unit": used.unit, "amount": used.amount, "engine": used.engine, "at": func.clock_timestamp()}
        self._connection.execute(insert(usage).values(**place, **what).on_conflict_do_nothing())

    def between(self, user_id: str, start: datetime, end: datetime) -> Sequence[UsedByVideo]:
        what = (usage.c.unit, usage.c.engine, usage.c.video_id)
        query = (
            select(usage.c.unit, func.sum(usage.c.amount), usage.c.engine, usage.c.video_id)
            .where(usage.c.user_id == user_id, usage.c.at >= start, usage.c.at < end)
            .group_by(*what)
            .order_by(func.min(usage.c.at), *what)
        )
        return [UsedByVideo(*row) for row in self._connection.execute(query)]

    def total(self, user_id: str, unit: str, since: datetime) -> float:
        mine = (usage.c.user_id == user_id, usage.c.unit == unit, usage.c.at >= since)
        return float(self._connection.scalar(select(func.sum(usage.c.amount)).where(*mine)) or 0.0)
