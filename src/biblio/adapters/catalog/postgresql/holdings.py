"""What the catalog holds."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from biblio.adapters.catalog.postgresql.rows import COLUMNS, is_uuid, video_of
from biblio.adapters.catalog.postgresql.tables import deletions, jobs, videos
from biblio.domain.flow import Step
from biblio.domain.video import Video
from biblio.ports.holdings import Receipt


class PostgresHoldings:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def videos(self, *, after: str, limit: int) -> Sequence[Video]:
        query = select(*COLUMNS).order_by(videos.c.id).limit(limit)
        if after:
            query = query.where(videos.c.id > after)
        return [video_of(row) for row in self._connection.execute(query)]

    def receipt(self, video_id: str) -> Receipt | None:
        columns = (deletions.c.video_id, deletions.c.user_id, deletions.c.deleted_at, deletions.c.receipt)
        query = select(*columns).where(deletions.c.video_id == video_id)
        row = self._connection.execute(query).one_or_none() if is_uuid(video_id) else None
        return Receipt(*row) if row is not None else None

    def named_keys(self, video: Video) -> set[str]:
        generations = {video.generation, video.indexed_generation} - {None}
        of_video = (jobs.c.video_id == video.id, jobs.c.generation.in_(generations))
        rows = self._connection.execute(select(jobs.c.state, jobs.c.result, jobs.c.checkpoint).where(*of_video))
        return {
            text for state, result, checkpoint in rows for text in _texts(result if state == "DONE" else checkpoint)
        }

    def open_steps(self, video: Video) -> set[Step]:
        current = (jobs.c.video_id == video.id, jobs.c.generation == video.generation)
        open_ = select(jobs.c.step).where(*current, jobs.c.state.in_(["READY", "RUNNING"]))
        return {Step(step) for step in self._connection.scalars(open_)}


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value: keys of objects are among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
