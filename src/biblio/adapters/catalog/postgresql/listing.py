"""The page of videos that a user asks for: by keyset, so that the last page costs what the first one does."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Select, cast, func, literal, select, tuple_

from biblio.adapters.catalog.postgresql.rows import COLUMNS, video_of
from biblio.adapters.catalog.postgresql.tables import videos
from biblio.domain.flow import Status
from biblio.domain.listing import Chosen, Sort
from biblio.domain.words import folded
from biblio.errors import InvalidInput
from biblio.ports.videos import Page


@dataclass(frozen=True)
class Order:
    """`read` makes a value of `by` of what a cursor holds; it raises `TypeError` or `ValueError`."""

    by: ColumnElement[Any]
    read: Callable[[Any], Any]
    falls: bool = False


def _no_length(seconds: float) -> ColumnElement[Any]:
    return func.coalesce(videos.c.duration, cast(literal(seconds), Float))


def _text(value: Any) -> str:
    """Raises for what PostgreSQL cannot hold."""
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError("no text")
    value.encode()
    return value


ORDERS = {
    Sort.NEWEST: Order(videos.c.created_at, datetime.fromisoformat, falls=True),
    Sort.OLDEST: Order(videos.c.created_at, datetime.fromisoformat),
    Sort.TITLE: Order(videos.c.title_key, _text),
    Sort.LONGEST: Order(_no_length(-1.0), float, falls=True),
    Sort.SHORTEST: Order(_no_length(1e300), float),
    Sort.UPDATED: Order(videos.c.updated_at, datetime.fromisoformat, falls=True),
}


def read_page(
    connection: Connection, user_id: str, limit: int, cursor: str | None, sort: Sort, chosen: Chosen, *, count: bool
) -> Page:
    """As `biblio.ports.videos.Videos.page`."""
    own = (videos.c.user_id == user_id, videos.c.status != Status.DELETING, *_conditions(chosen))
    order = ORDERS[sort]
    query = _ordered(select(*COLUMNS, order.by.label("place")).where(*own), order)
    if cursor is not None:
        place, here = _decode(cursor, sort), tuple_(order.by, videos.c.id)
        query = query.where(here < place if order.falls else here > place)
    rows = connection.execute(query.limit(limit + 1)).all()
    following = _encode(sort, rows[limit - 1]) if len(rows) > limit else None
    total = connection.scalar(select(func.count()).select_from(videos).where(*own)) if count else None
    return Page(tuple(video_of(row) for row in rows[:limit]), following, total)


def _ordered(query: Select[Any], order: Order) -> Select[Any]:
    keys = (order.by, videos.c.id)
    return query.order_by(*(key.desc() if order.falls else key.asc() for key in keys))


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.statuses:
        conditions.append(videos.c.status.in_(chosen.statuses))
    if chosen.title is not None:
        # What PostgreSQL cannot hold stands in no title.
        part = folded(chosen.title).replace("\x00", "\ufffe")
        conditions.append(videos.c.title_folded.contains(part, autoescape=True))
    if chosen.language is not None:
        conditions.append(videos.c.language == chosen.language.replace("\x00", "\ufffe"))
    if chosen.fingerprint is not None:
        conditions.append(videos.c.fingerprint == chosen.fingerprint)
    if chosen.acknowledged is not None:
        conditions.append(videos.c.acknowledged if chosen.acknowledged else ~videos.c.acknowledged)
    return conditions


def _encode(sort: Sort, row: Any) -> str:
    place = row.place.isoformat() if isinstance(row.place, datetime) else row.place
    return base64.urlsafe_b64encode(json.dumps([sort, place, row.id]).encode()).decode()


def _decode(cursor: str, sort: Sort) -> tuple[Any, str]:
    try:
        given, place, video_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if given != sort:
            raise ValueError("another order")
        return ORDERS[sort].read(place), str(uuid.UUID(video_id))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):  # whatever JSON can hold
        raise InvalidInput("The cursor is not one that a list of this order gave.", code="INVALID_CURSOR") from None
