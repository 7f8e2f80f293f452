"""What the broker has still to be told."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Connection, and_, or_, select, update

from biblio.adapters.catalog.postgresql.rows import COLUMNS, video_of
from biblio.adapters.catalog.postgresql.tables import jobs, videos
from biblio.adapters.catalog.postgresql.waiting import CURRENT, EXPIRED, NOW, OPEN, READY
from biblio.domain.flow import Queue, Step
from biblio.domain.video import Job, job_of

UNTAKEN = timedelta(seconds=5)
"""A told job that stays untaken this long while its queue is empty was lost by the broker."""

UNTOLD = timedelta(seconds=1)
"""A younger job is just being announced by whoever requested it; a second message would only be noise."""


class PostgresOutbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, *, quiet: Collection[Queue], limit: int) -> Sequence[Job]:
        # What was told, or wished for, in the future, was so before the database's clock was set back.
        lost = and_(jobs.c.queue.in_(list(quiet)), ~jobs.c.told_at.between(NOW - UNTAKEN, NOW))
        untold = and_(jobs.c.told_at.is_(None), ~jobs.c.created_at.between(NOW - UNTOLD, NOW))
        waiting = and_(READY, or_(untold, lost))
        # A job may run that nobody was told of, its publisher having died; NOT (NULL > …) is NULL, so say it out.
        told_since = and_(jobs.c.told_at.is_not(None), jobs.c.told_at > jobs.c.lease_until, ~lost)
        rows = self._connection.execute(
            select(jobs.c.step.label("job_step"), *COLUMNS)
            .select_from(jobs.join(videos, CURRENT))
            .where(OPEN, or_(waiting, and_(EXPIRED, ~told_since)))
            .order_by(jobs.c.created_at)
            .limit(limit)
        )
        return [job_of(video_of(row), Step(row.job_step)) for row in rows]

    def told(self, job: Job) -> None:
        mine = and_(jobs.c.video_id == job.video_id, jobs.c.step == job.step)
        current = select(videos.c.generation).where(videos.c.id == job.video_id).scalar_subquery()
        self._connection.execute(update(jobs).where(mine, jobs.c.generation == current).values(told_at=NOW))
