"""The videos."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql

from biblio.adapters.catalog.postgresql.blocks import name_blocks
from biblio.adapters.catalog.postgresql.events import PostgresEvents
from biblio.adapters.catalog.postgresql.listing import read_page
from biblio.adapters.catalog.postgresql.rows import COLUMNS, is_uuid, video_of
from biblio.adapters.catalog.postgresql.tables import (
    blocks,
    deletions,
    jobs,
    passages,
    users,
    video_events,
    videos,
    words,
)
from biblio.adapters.catalog.postgresql.waiting import OPEN
from biblio.domain.flow import Status
from biblio.domain.listing import ALL, Chosen, Sort
from biblio.domain.transcript import Sentence, words_of
from biblio.domain.video import Failure, Options, Video
from biblio.domain.words import folded, sorting_key
from biblio.errors import Conflict, InvalidInput, NotFound
from biblio.ports.videos import Page

SHOWN = {"status", "step", "progress", "failure"}
"""What a change of which is an event."""


class PostgresVideos:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, video: Video) -> None:
        values = {column.name: _stored(getattr(video, column.name)) for column in COLUMNS} | _listed_as(video.title)
        known = select(users.c.id).where(users.c.id == video.user_id)
        if self._connection.scalar(known) is None:
            raise InvalidInput("There is no such user.", code="UNKNOWN_USER")
        added = postgresql.insert(videos).values(values).on_conflict_do_nothing().returning(videos.c.id)
        if self._connection.scalar(added) is None:
            raise Conflict("There is already such a video.", code="VIDEO_EXISTS")
        PostgresEvents(self._connection).add(video, "status")

    def get(self, video_id: str, *, user_id: str | None = None, lock: bool = False) -> Video:
        query = select(*COLUMNS).where(videos.c.id == video_id)
        if lock:
            query = query.with_for_update()
        if user_id is not None:
            query = query.where(videos.c.user_id == user_id, videos.c.status != Status.DELETING)
        row = self._connection.execute(query).one_or_none() if is_uuid(video_id) else None
        if row is None:
            raise NotFound("There is no such video.", code="VIDEO_NOT_FOUND")
        return video_of(row)

    def page(
        self,
        user_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        sort: Sort = Sort.NEWEST,
        chosen: Chosen = ALL,
        count: bool = False,
    ) -> Page:
        return read_page(self._connection, user_id, limit, cursor, sort, chosen, count=count)

    def update(self, video_id: str, *, when: Status | None = None, **changes: Any) -> bool:
        guard = videos.c.id == video_id
        if when is not None:
            guard = and_(guard, videos.c.status == when)
        values = {name: _stored(value) for name, value in changes.items()}
        if "title" in changes:
            values |= _listed_as(changes["title"])
        changed = update(videos).where(guard).values(**values, updated_at=func.clock_timestamp())
        row = self._connection.execute(changed.returning(*COLUMNS)).one_or_none()
        if row is not None and "title" in changes:
            name_blocks(self._connection, video_id)
        if row is not None and "generation" in changes:
            self._void(video_id, row.generation)
        if row is not None and (SHOWN | {"title"}) & changes.keys():
            PostgresEvents(self._connection).add(video_of(row), "status" if SHOWN & changes.keys() else "title")
        return row is not None

    def transcript(self, video_id: str, *, words: bool = False) -> tuple[str, tuple[Sentence, ...]]:
        script = self._connection.scalar(select(videos.c.script).where(videos.c.id == video_id)) or ""
        heard = (passages.c.words,) if words else ()
        rows = self._connection.execute(
            select(passages.c.text, passages.c.start_time, passages.c.end_time, *heard)
            .join(
                videos, and_(videos.c.id == passages.c.video_id, videos.c.indexed_generation == passages.c.generation)
            )
            .where(passages.c.video_id == video_id)
            .order_by(passages.c.position)
        )
        return script, tuple(Sentence(*row[:3], *(words_of(one) for one in row[3:])) for row in rows)

    def forget(self, video: Video, receipt: dict[str, Any]) -> dict[str, int]:
        rows = {
            table.name: self._remove(table, table.c.video_id == video.id) for table in (passages, blocks, words, jobs)
        }
        # Whoever was not listening just then has still to hear that it is gone.
        told = and_(video_events.c.video_id == video.id, video_events.c.status != Status.DELETING)
        rows |= {
            "video_events": self._remove(video_events, told),
            "videos": self._remove(videos, videos.c.id == video.id),
        }
        note = postgresql.insert(deletions).values(
            video_id=video.id, user_id=video.user_id, receipt={**receipt, "rows": rows}
        )
        self._connection.execute(note.on_conflict_do_nothing())
        return rows

    def _void(self, video_id: str, generation: int) -> None:
        """What was still to be done in earlier generations is in nobody's way any more."""
        earlier = and_(jobs.c.video_id == video_id, jobs.c.generation < generation, OPEN)
        self._connection.execute(update(jobs).where(earlier).values(state="VOID"))

    def _remove(self, table: Table, which: ColumnElement[bool]) -> int:
        return self._connection.execute(delete(table).where(which)).rowcount


def _listed_as(title: str) -> dict[str, str]:
    return {"title_folded": folded(title), "title_key": sorting_key(title)}


def _stored(value: object) -> object:
    return value.as_json() if isinstance(value, (Options, Failure)) else value
