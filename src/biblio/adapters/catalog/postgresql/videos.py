"""The videos, and the page of them a user asks for."""

import base64
import binascii
import uuid
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql

from biblio.adapters.catalog.postgresql.tables import deletions, segments, videos
from biblio.domain.flow import Status, Step
from biblio.domain.transcript import Sentence
from biblio.domain.video import Failure, Options, Video
from biblio.errors import InvalidInput, NotFound
from biblio.ports.videos import Page

COLUMNS = [videos.c[field.name] for field in fields(Video)]


class PostgresVideos:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, video: Video) -> None:
        self._connection.execute(
            insert(videos).values({f.name: _stored(getattr(video, f.name)) for f in fields(Video)})
        )

    def get(self, video_id: str, *, user_id: str | None = None) -> Video:
        query = select(*COLUMNS).where(videos.c.id == video_id)
        if user_id is not None:
            query = query.where(videos.c.user_id == user_id, videos.c.status != Status.DELETING)
        row = self._connection.execute(query).one_or_none() if _is_uuid(video_id) else None
        if row is None:
            raise NotFound("There is no such video.", code="VIDEO_NOT_FOUND")
        return video_of(row)

    def page(
        self,
        user_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        status: Status | None = None,
        fingerprint: str | None = None,
        acknowledged: bool | None = None,
    ) -> Page:
        query = select(*COLUMNS).where(videos.c.user_id == user_id, videos.c.status != Status.DELETING)
        if status is not None:
            query = query.where(videos.c.status == status)
        if fingerprint is not None:
            query = query.where(videos.c.fingerprint == fingerprint)
        if acknowledged is not None:
            query = query.where(videos.c.acknowledged if acknowledged else ~videos.c.acknowledged)
        if cursor is not None:
            query = query.where(tuple_(videos.c.created_at, videos.c.id) < _decode(cursor))
        newest_first = query.order_by(videos.c.created_at.desc(), videos.c.id.desc()).limit(limit + 1)
        found = [video_of(row) for row in self._connection.execute(newest_first)]
        return Page(tuple(found[:limit]), _encode(found[limit - 1]) if len(found) > limit else None)

    def update(self, video_id: str, *, when: Status | None = None, **changes: Any) -> bool:
        guard = videos.c.id == video_id
        if when is not None:
            guard = and_(guard, videos.c.status == when)
        values = {name: _stored(value) for name, value in changes.items()}
        changed = update(videos).where(guard).values(**values, updated_at=func.clock_timestamp())
        return self._connection.execute(changed).rowcount == 1

    def transcript(self, video_id: str) -> tuple[str, tuple[Sentence, ...]]:
        script = self._connection.scalar(select(videos.c.script).where(videos.c.id == video_id)) or ""
        rows = self._connection.execute(
            select(segments.c.text, segments.c.start_time, segments.c.end_time)
            .join(
                videos, and_(videos.c.id == segments.c.video_id, videos.c.indexed_generation == segments.c.generation)
            )
            .where(segments.c.video_id == video_id)
            .order_by(segments.c.position)
        )
        return script, tuple(Sentence(*row) for row in rows)

    def forget(self, video: Video, receipt: dict[str, Any]) -> None:
        note = postgresql.insert(deletions).values(video_id=video.id, user_id=video.user_id, receipt=receipt)
        self._connection.execute(note.on_conflict_do_nothing())
        self._connection.execute(delete(videos).where(videos.c.id == video.id))


def video_of(row: Row[Any]) -> Video:
    values = dict(row._mapping)
    values["status"] = Status(values["status"])
    values["step"] = Step(values["step"]) if values["step"] else None
    values["options"] = Options(**values["options"])
    if values["failure"]:
        values["failure"] = Failure(**{**values["failure"], "step": Step(values["failure"]["step"])})
    return Video(**values)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _stored(value: object) -> object:
    return value.as_json() if isinstance(value, (Options, Failure)) else value


def _encode(video: Video) -> str:
    return base64.urlsafe_b64encode(f"{video.created_at.isoformat()} {video.id}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, str]:
    try:
        moment, _, video_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return datetime.fromisoformat(moment), str(uuid.UUID(video_id))
    except (ValueError, binascii.Error):
        raise InvalidInput("The cursor is not one that a list gave.", code="INVALID_CURSOR") from None
