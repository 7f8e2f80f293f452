"""Step 1: a place for a video, and permission to put it there. Its bytes never pass through here."""

import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from biblio.domain import keys
from biblio.domain.flow import Status
from biblio.domain.video import MIME_TYPES, Options, Video, extension_of, title_of
from biblio.errors import InvalidInput, TooLarge
from biblio.pipeline.services import Services
from biblio.ports.storage import SignedRequest

LONGEST_NAME = 255  # bytes of UTF-8, as in file systems
LONGEST_TITLE = 500  # characters


@dataclass(frozen=True)
class NewVideo:
    """What a client declares. `file_size` in bytes; `mime_type` None: assumed from the file name's ending."""

    file_name: str
    file_size: int
    mime_type: str | None = None
    title: str | None = None
    options: Options = Options()


def begin_upload(services: Services, user_id: str, new: NewVideo) -> tuple[Video, SignedRequest]:
    """Raises `InvalidInput` or `TooLarge`, before anything is stored."""
    video = _declared(services, user_id, new)
    with services.catalog.transaction() as tx:
        tx.videos.add(video)
    signed = services.storage.sign_upload(
        video.key, size=video.file_size, content_type=video.mime_type, seconds=services.limits.upload_seconds
    )
    return video, signed


def checked_title(title: str) -> str:
    """A title as it is kept. Raises `InvalidInput` for one that is blank or too long."""
    kept = unicodedata.normalize("NFC", title).strip()
    if not kept or len(kept) > LONGEST_TITLE or "\x00" in kept:
        raise InvalidInput(f"A title has 1 to {LONGEST_TITLE} characters.", code="INVALID_TITLE")
    return kept


def _declared(services: Services, user_id: str, new: NewVideo) -> Video:
    name = unicodedata.normalize("NFC", new.file_name)
    if not name.strip() or len(name.encode("utf-8", "replace")) > LONGEST_NAME or "\x00" in name:
        raise InvalidInput(f"A file name has 1 to {LONGEST_NAME} bytes.", code="INVALID_FILE_NAME")
    ending = extension_of(name)
    _check_size(new.file_size, services.limits.largest_file)
    services.speech.check(new.options.language, new.options.model)
    now, video_id = datetime.now(UTC), str(uuid.uuid4())
    return Video(
        id=video_id,
        user_id=user_id,
        title=checked_title(new.title if new.title is not None else title_of(name)[:LONGEST_TITLE]),
        file_name=name,
        file_size=new.file_size,
        mime_type=_checked_type(new.mime_type, ending),
        key=keys.original(video_id, ending),
        status=Status.UPLOADING,
        options=new.options,
        created_at=now,
        updated_at=now,
    )


def _check_size(size: int, largest: int) -> None:
    if size <= 0:
        raise InvalidInput("The file is empty.", code="EMPTY_FILE")
    if size > largest:
        raise TooLarge(f"The file has {size} bytes; at most {largest} are taken.", code="FILE_TOO_LARGE", limit=largest)


def _checked_type(mime_type: str | None, ending: str) -> str:
    """Browsers name some containers in their own ways or not at all, so any video or audio type goes."""
    if mime_type is None or mime_type in ("", "application/octet-stream"):
        return MIME_TYPES[ending]
    if not mime_type.isascii() or not mime_type.isprintable() or len(mime_type) > 127:
        raise InvalidInput("The MIME type is not one.", code="UNSUPPORTED_TYPE")
    kind = mime_type.partition("/")[0].lower()
    if kind not in ("video", "audio"):
        raise InvalidInput(f"'{mime_type}' is neither a video nor a sound type.", code="UNSUPPORTED_TYPE")
    return mime_type
