"""Uploads under way, by the database's clock."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql

from biblio.adapters.catalog.postgresql.tables import uploads, videos
from biblio.errors import NotFound
from biblio.ports.uploads import Upload

GRACE = timedelta(hours=1)
"""A request that began before its signature expired may last this much longer."""
MOST_OFTEN, MOST_SELDOM, RATHER = timedelta(seconds=2), timedelta(seconds=60), 10
"""An upload that has not moved for a while is looked at after another tenth of that while."""

NOW = func.clock_timestamp()
SILENT = func.coalesce(uploads.c.signed_until + GRACE < NOW, True)
COLUMNS = (
    uploads.c.video_id,
    uploads.c.expires_at,
    uploads.c.upload_id,
    uploads.c.checksums,
    (uploads.c.expires_at < NOW).label("is_over"),
    SILENT.label("is_silent"),
)


class PostgresUploads:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, video_id: str, *, seconds: float) -> Upload:
        row = insert(uploads).values(video_id=video_id, expires_at=NOW + timedelta(seconds=seconds))
        return Upload(**self._connection.execute(row.returning(*COLUMNS)).one()._mapping)

    def get(self, video_id: str) -> Upload:
        row = self._connection.execute(select(*COLUMNS).where(uploads.c.video_id == video_id)).one_or_none()
        if row is None:
            raise NotFound("There is no such upload.", code="UPLOAD_NOT_FOUND")
        return Upload(**row._mapping)

    def begun(self, video_id: str, upload_id: str | None, *, checksums: bool | None, instead_of: str | None) -> bool:
        same = uploads.c.upload_id.is_not_distinct_from(instead_of)
        change = update(uploads).where(uploads.c.video_id == video_id, same)
        return self._connection.execute(change.values(upload_id=upload_id, checksums=checksums)).rowcount == 1

    def signed(self, video_ids: Collection[str], *, seconds: float) -> None:
        until = NOW + timedelta(seconds=seconds)
        moment = {"signed_until": until, "active_at": NOW, "look_at": NOW}
        there = select(videos.c.id, NOW, until, NOW, NOW).where(videos.c.id.in_(list(video_ids)))
        rows = postgresql.insert(uploads).from_select(["video_id", "expires_at", *moment], there)
        later = {**moment, "signed_until": func.greatest(uploads.c.signed_until, until)}
        written = rows.on_conflict_do_update(index_elements=["video_id"], set_=later).returning(uploads.c.video_id)
        if len(self._connection.scalars(written).all()) < len(video_ids):
            raise NotFound("There is no such video.", code="VIDEO_NOT_FOUND")

    def due(self, *, limit: int) -> Sequence[Upload]:
        ripe = select(uploads.c.video_id).where(uploads.c.look_at <= NOW).order_by(uploads.c.look_at).limit(limit)
        pause = func.least(func.greatest((NOW - uploads.c.active_at) / RATHER, MOST_OFTEN), MOST_SELDOM)
        # SKIP LOCKED: what another sweep has just taken is its.
        taken = update(uploads).where(uploads.c.video_id.in_(ripe.with_for_update(skip_locked=True)))
        rows = self._connection.execute(taken.values(look_at=NOW + pause).returning(*COLUMNS))
        return [Upload(**row._mapping) for row in rows]

    def forget(self, video_id: str, *, when_silent: bool) -> None:
        mine = uploads.c.video_id == video_id
        if when_silent:
            later = uploads.c.signed_until + GRACE + MOST_OFTEN
            self._connection.execute(update(uploads).where(mine, ~SILENT).values(look_at=later))
        else:
            self._connection.execute(delete(uploads).where(mine))
