"""The event log. The user's row is held from an event's number to the commit, so numbers become visible in order."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Float, Row, and_, case, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from biblio.adapters.catalog.postgresql.rows import failure_of
from biblio.adapters.catalog.postgresql.tables import jobs, users, video_events, videos
from biblio.adapters.catalog.postgresql.waiting import NOW, SINCE, position_of
from biblio.domain.flow import WORKING, Status, Step, overall_progress
from biblio.domain.video import Video
from biblio.ports.events import Event, Outlook

CHANNEL = "biblio_events"
SURE_ENOUGH = 5
"""Percent of the road to have come before the pace says something about the rest."""


class PostgresEvents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, video: Video, kind: str, **detail: Any) -> None:
        # Only for a video that is there, or the number would be missing.
        mine = and_(videos.c.id == video.id, users.c.id == videos.c.user_id)
        number = update(users).where(mine).values(last_event=users.c.last_event + 1)
        event_id = self._connection.scalar(number.returning(users.c.last_event))
        now = select(
            videos.c.user_id,
            literal(event_id),
            videos.c.id,
            literal(kind),
            videos.c.status,
            videos.c.progress,
            videos.c.step,
            videos.c.failure,
            literal(detail, JSONB),
            NOW,
        ).where(videos.c.id == video.id)
        names = ["user_id", "id", "video_id", "kind", "status", "progress", "step", "failure", "detail", "at"]
        self._connection.execute(insert(video_events).from_select(names, now))
        self._connection.execute(select(func.pg_notify(CHANNEL, video.user_id)))

    def after(self, user_id: str, event_id: int, *, limit: int, video_id: str | None = None) -> Sequence[Event]:
        query = select(video_events).where(video_events.c.user_id == user_id, video_events.c.id > event_id)
        if video_id is not None:
            query = query.where(video_events.c.video_id == video_id)
        return [_event(row) for row in self._connection.execute(query.order_by(video_events.c.id).limit(limit))]

    def last(self, user_id: str) -> int:
        return self._connection.scalar(select(users.c.last_event).where(users.c.id == user_id)) or 0

    def outlook(self, video: Video) -> Outlook:
        if video.status not in WORKING:
            return Outlook()
        position = position_of(self._connection, video.id, video.generation)
        return Outlook(self._seconds_left(video), position, "quota" if self._waits(video) else None)

    def _waits(self, video: Video) -> bool:
        """Whether its last attempt was heard of last when it began to wait. Put on the road anew, it had none yet."""
        of_attempts = video_events.c.kind.not_in(["status", "title"])
        anew = and_(video_events.c.kind == "status", video_events.c.status == Status.PENDING)
        telling = and_(video_events.c.video_id == video.id, or_(of_attempts, anew))
        query = select(video_events.c.kind).where(telling).order_by(video_events.c.id.desc()).limit(1)
        return self._connection.scalar(query) == "waiting"

    def _seconds_left(self, video: Video) -> float | None:
        """At the pace of this run's work so far; waiting is not counted."""
        running = case((jobs.c.state == "RUNNING", SINCE), else_=0.0)
        query = select(jobs.c.step, cast(jobs.c.worked + running, Float)).where(
            jobs.c.video_id == video.id, jobs.c.generation == video.generation, jobs.c.claimed_at.is_not(None)
        )
        worked = {Step(step): seconds for step, seconds in self._connection.execute(query)}
        begun_at = min((overall_progress(step, 0.0) for step in worked), default=0)
        come = video.progress - begun_at
        return round(sum(worked.values()) * (100 - video.progress) / come, 1) if come >= SURE_ENOUGH else None


def _event(row: Row[Any]) -> Event:
    values = dict(row._mapping)
    values["status"] = Status(values["status"])
    values["step"] = Step(values["step"]) if values["step"] else None
    values["failure"] = failure_of(values["failure"])
    return Event(**values)
