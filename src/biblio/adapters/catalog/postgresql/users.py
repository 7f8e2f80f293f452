"""Users and the digests of their keys."""

import uuid

from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from biblio.adapters.catalog.postgresql.digests import digest
from biblio.adapters.catalog.postgresql.tables import api_keys, uploads, users, videos
from biblio.domain.flow import Status
from biblio.errors import Conflict
from biblio.ports.users import Usage


class PostgresUsers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str) -> str:
        user_id = f"user_{uuid.uuid4().hex}"
        row = insert(users).values(id=user_id, name=name).on_conflict_do_nothing(index_elements=["name"])
        # RETURNING, because SQLAlchemy does not tell how many rows an INSERT made.
        if self._connection.scalar(row.returning(users.c.id)) is None:
            raise Conflict(f"There is already a user named '{name}'.", code="USER_EXISTS")
        return user_id

    def id_of(self, name: str) -> str | None:
        return self._connection.scalar(select(users.c.id).where(users.c.name == name))

    def give_key(self, user_id: str, key: str) -> None:
        self._connection.execute(insert(api_keys).values(digest=digest(key), user_id=user_id).on_conflict_do_nothing())

    def owner_of(self, key: str) -> str | None:
        return self._connection.scalar(select(api_keys.c.user_id).where(api_keys.c.digest == digest(key)))

    def usage(self, user_id: str) -> Usage:
        # Not FOR UPDATE, which would also hold off every insert that names this user.
        self._connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))
        open_ = (
            select(func.count(), func.min(uploads.c.expires_at))
            .select_from(videos.outerjoin(uploads, uploads.c.video_id == videos.c.id))
            .where(videos.c.user_id == user_id, videos.c.status == Status.UPLOADING)
        )
        uploading, next_expiry = self._connection.execute(open_).one()
        return Usage(uploading, next_expiry)

    def stored(self, user_id: str) -> int:
        ended = and_(videos.c.status.in_([Status.CANCELED, Status.EXPIRED]), videos.c.etag.is_(None))
        empty = or_(videos.c.status == Status.DELETING, ended)
        mine = select(func.sum(videos.c.file_size)).where(videos.c.user_id == user_id, ~empty)
        return int(self._connection.scalar(mine) or 0)
