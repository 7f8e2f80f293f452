"""Jobs: outbox and lease in one row, every change one guarded UPDATE by the database's clock.

A video's row is always locked before its jobs' rows, so that two workers can't wait for each other.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.tables import jobs, videos
from biblio.adapters.catalog.postgresql.videos import COLUMNS, video_of
from biblio.domain.flow import Queue, Step, stage_of
from biblio.domain.video import Job, Options, Video
from biblio.errors import LeaseLost
from biblio.ports.jobs import Claim

UNTAKEN = timedelta(seconds=5)
"""A told job that stays untaken this long while its queue is empty was lost by the broker."""

UNTOLD = timedelta(seconds=1)
"""A younger job is just being announced by whoever requested it; a second message would only be noise."""

NOW = func.clock_timestamp()
LOST = "Another worker has this step now, or the video was deleted or begun anew."


class PostgresJobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def request(self, video: Video, step: Step) -> None:
        row = insert(jobs).values(
            video_id=video.id, generation=video.generation, step=step, queue=stage_of(step).queue, state="READY"
        )
        self._connection.execute(row.on_conflict_do_nothing())

    def claim(self, video_id: str, step: Step, *, seconds: float) -> Claim | None:
        row = self._connection.execute(select(*COLUMNS).where(videos.c.id == video_id).with_for_update()).one_or_none()
        if row is None:
            return None
        video = video_of(row)
        waiting = and_(jobs.c.state == "READY", or_(jobs.c.not_before.is_(None), jobs.c.not_before <= NOW))
        left = and_(jobs.c.state == "RUNNING", jobs.c.lease_until < NOW)
        taken = (
            update(jobs)
            .where(_is(video, step), or_(waiting, left))
            .values(state="RUNNING", attempt=jobs.c.attempt + 1, lease_until=NOW + timedelta(seconds=seconds))
            .returning(jobs.c.attempt)
        )
        attempt = self._connection.scalar(taken)
        return None if attempt is None else Claim(video, step, attempt, self._results(video))

    def renew(self, claim: Claim, *, seconds: float, progress: int) -> None:
        self._lock(claim)
        shown = update(videos).where(videos.c.id == claim.video.id, videos.c.progress < progress)
        self._connection.execute(shown.values(progress=progress, updated_at=NOW))
        self._fenced(claim, update(jobs).values(lease_until=NOW + timedelta(seconds=seconds)))

    def end(self, claim: Claim, *, result: dict[str, Any] | None, retry_after: float | None = None) -> None:
        self._lock(claim)
        if result is not None:
            change = update(jobs).values(state="DONE", result=result, lease_until=None, ended_at=NOW)
        elif retry_after is not None:
            later = NOW + timedelta(seconds=retry_after)
            change = update(jobs).values(state="READY", lease_until=None, told_at=None, not_before=later)
        else:
            change = update(jobs).values(state="FAILED", lease_until=None, ended_at=NOW)
        self._fenced(claim, change)

    def due(self, *, quiet: Collection[Queue], limit: int) -> Sequence[Job]:
        ripe = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= NOW)
        lost = and_(jobs.c.queue.in_(list(quiet)), jobs.c.told_at < NOW - UNTAKEN)
        untold = and_(jobs.c.told_at.is_(None), jobs.c.created_at < NOW - UNTOLD)
        waiting = and_(jobs.c.state == "READY", ripe, or_(untold, lost))
        # A job may run that nobody was told of, its publisher having died; NOT (NULL > …) is NULL, so say it out.
        told_since = and_(jobs.c.told_at.is_not(None), jobs.c.told_at > jobs.c.lease_until, ~lost)
        left = and_(jobs.c.state == "RUNNING", jobs.c.lease_until < NOW, ~told_since)
        rows = self._connection.execute(
            select(jobs.c.step, *COLUMNS)
            .join(videos, and_(videos.c.id == jobs.c.video_id, videos.c.generation == jobs.c.generation))
            .where(or_(waiting, left))
            .order_by(jobs.c.created_at)
            .limit(limit)
        )
        return [_job(dict(row._mapping)) for row in rows]

    def told(self, job: Job) -> None:
        current = select(videos.c.generation).where(videos.c.id == job.video_id).scalar_subquery()
        row = and_(jobs.c.video_id == job.video_id, jobs.c.step == job.step, jobs.c.generation == current)
        self._connection.execute(update(jobs).where(row).values(told_at=NOW))

    def _results(self, video: Video) -> dict[Step, dict[str, Any]]:
        done = and_(jobs.c.video_id == video.id, jobs.c.generation == video.generation, jobs.c.state == "DONE")
        rows = self._connection.execute(select(jobs.c.step, jobs.c.result).where(done))
        return {Step(step): result for step, result in rows}

    def _lock(self, claim: Claim) -> None:
        """Hold the video's row; a video that began another generation meanwhile voids the claim."""
        current = and_(videos.c.id == claim.video.id, videos.c.generation == claim.video.generation)
        if self._connection.scalar(select(videos.c.id).where(current).with_for_update()) is None:
            raise LeaseLost(LOST)

    def _fenced(self, claim: Claim, change: Update) -> None:
        """Only the attempt that holds the job may change it."""
        mine = and_(_is(claim.video, claim.step), jobs.c.attempt == claim.attempt, jobs.c.state == "RUNNING")
        if self._connection.execute(change.where(mine)).rowcount == 0:
            raise LeaseLost(LOST)


def _is(video: Video, step: Step) -> ColumnElement[bool]:
    return and_(jobs.c.video_id == video.id, jobs.c.generation == video.generation, jobs.c.step == step)


def _job(row: dict[str, Any]) -> Job:
    # The bucket is not the catalog's business: whoever publishes fills it in.
    return Job(Step(row["step"]), row["id"], row["user_id"], "", row["key"], Options(**row["options"]))
