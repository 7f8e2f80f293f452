"""The queue's message, as it comes in: checked, because others may publish too."""

import uuid
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from biblio.errors import InvalidInput


class Payload(BaseModel):
    video_id: uuid.UUID
    user_id: str
    bucket: str
    key: str
    options: dict[str, Any]


class Message(BaseModel):
    """The specification's job message (step 2)."""

    task_type: Literal["ingestion", "deletion"]
    payload: Payload


def read_message(message: dict[str, Any]) -> str:
    """The video that a message names; what else it says is read from the catalog. Raises `InvalidInput`."""
    try:
        return str(Message.model_validate(message).payload.video_id)
    except ValidationError as error:
        raise InvalidInput(f"{error.error_count()} fields are wrong.", code="BAD_MESSAGE") from None
