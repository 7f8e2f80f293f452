"""The queue's message, as it comes in: checked, because others may publish too."""

import json
import uuid
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictStr, ValidationError

from biblio.domain.video import Options
from biblio.errors import InvalidInput
from biblio.pipeline.ingestion import Announced

LARGEST = 64 * 1024
"""Bytes. The specification's message has some hundred."""


def _storable(text: str) -> str:
    """JSON can say what neither a database nor a file system can keep."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("has characters that cannot be stored")
    return text


Text = Annotated[StrictStr, Field(min_length=1), AfterValidator(_storable)]


class ChosenOptions(BaseModel):
    language: Text | None = None
    model: Text | None = None


class Payload(BaseModel):
    video_id: uuid.UUID
    user_id: Text
    bucket: Text
    key: Text
    options: ChosenOptions = ChosenOptions()


class Message(BaseModel):
    """The specification's job message (step 2)."""

    task_type: Literal["ingestion", "deletion", "cleanup"]
    payload: Payload


def check_message(message: dict[str, Any]) -> Message:
    """Raises `InvalidInput`."""
    try:
        return Message.model_validate(message)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)[:5])
        raise InvalidInput(f"These fields are wrong: {wrong}.", code="BAD_MESSAGE") from None


def read_announcement(body: bytes | str) -> Announced:
    """What another program asks for. Raises `InvalidInput`."""
    if len(body) > LARGEST:
        raise InvalidInput(f"The message is longer than {LARGEST} bytes.", code="BAD_MESSAGE")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("The message is no JSON.", code="BAD_MESSAGE") from None
    message = check_message(read)
    if message.task_type != "ingestion":
        raise InvalidInput("Only 'ingestion' can be asked for from outside.", code="BAD_MESSAGE")
    payload = message.payload
    options = Options(payload.options.language, payload.options.model)
    return Announced(str(payload.video_id), payload.user_id, payload.bucket, payload.key, options)
