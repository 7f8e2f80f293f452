"""Rows of the catalog as the domain knows them."""

import uuid
from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from biblio.adapters.catalog.postgresql.tables import videos
from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure, Options, Video

COLUMNS = [videos.c[field.name] for field in fields(Video)]


def video_of(row: Row[Any]) -> Video:
    """Of a row that holds COLUMNS, and maybe others."""
    values = {column.name: row._mapping[column.name] for column in COLUMNS}
    values["status"] = Status(values["status"])
    values["step"] = Step(values["step"]) if values["step"] else None
    values["options"] = Options(**values["options"])
    values["failure"] = failure_of(values["failure"])
    return Video(**values)


def failure_of(stored: dict[str, Any] | None) -> Failure | None:
    return Failure(**{**stored, "step": Step(stored["step"])}) if stored else None


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
