"""Step 1: a place for a video, and permission to put it there. Its bytes never pass through here."""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from biblio.domain import keys
from biblio.domain.flow import Status
from biblio.domain.parts import PartPlan, checked_sha256, part_size_for
from biblio.domain.video import MIME_TYPES, Options, Video, extension_of, title_of
from biblio.errors import InvalidInput, RateLimited, TooLarge
from biblio.log_context import note
from biblio.pipeline.quota import check_quota, check_room
from biblio.pipeline.services import Limits, Services
from biblio.ports.catalog import Transaction
from biblio.ports.storage import SignedRequest
from biblio.ports.users import Usage

LONGEST_NAME = 255  # bytes of UTF-8, as in file systems
LONGEST_TITLE = 500  # characters


@dataclass(frozen=True)
class NewVideo:
    """What a client declares. `file_size` in bytes; `mime_type` None: assumed from the file name's ending; `sha256` is
    that of the whole file, in hex; `fingerprint` is whatever lets the client know the file again."""

    file_name: str
    file_size: int
    mime_type: str | None = None
    title: str | None = None
    options: Options = Options()
    sha256: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Parts:
    """How to send a file that comes in parts; each is signed on demand, until `expires_at`."""

    plan: PartPlan
    expires_at: datetime


Invitation = SignedRequest | Parts


def begin_upload(services: Services, tx: Transaction, user_id: str, new: NewVideo) -> tuple[Video, Invitation]:
    """A new video, and how to send its bytes. Raises `InvalidInput`, `TooLarge` and `RateLimited`."""
    video = _declared(services, user_id, new)
    _check_uploads(tx.users.usage(user_id), services.limits)
    check_room(services, tx, user_id, video.file_size)
    check_quota(services, tx, user_id)
    note(video=video.id)
    with services.tracer.span("upload", video.id, first=True):
        tx.videos.add(video)
        tx.uploads.add(video.id, seconds=services.limits.upload_lifetime)
        return video, invitations(services, tx, [video])[0]


def invitations(services: Services, tx: Transaction, videos: Sequence[Video]) -> list[Invitation]:
    """How to send, or go on sending, the bytes of videos that are UPLOADING."""
    seconds = services.limits.upload_seconds
    if puts := [video.id for video in videos if video.part_size is None]:
        tx.uploads.signed(puts, seconds=seconds)
    return [_invitation(services, tx, video, seconds) for video in videos]


def checked_title(title: str) -> str:
    """A title as it is kept. Raises `InvalidInput` for one that is blank or too long."""
    kept = unicodedata.normalize("NFC", title).strip()
    if not kept or len(kept) > LONGEST_TITLE or "\x00" in kept:
        raise InvalidInput(f"A title has 1 to {LONGEST_TITLE} characters.", code="INVALID_TITLE")
    return kept


def _invitation(services: Services, tx: Transaction, video: Video, seconds: int) -> Invitation:
    if video.part_size is not None:
        return Parts(PartPlan(video.file_size, video.part_size), tx.uploads.get(video.id).expires_at)
    return services.storage.sign_upload(
        video.key, size=video.file_size, content_type=video.mime_type, seconds=seconds, sha256=video.sha256
    )


def _declared(services: Services, user_id: str, new: NewVideo) -> Video:
    name = unicodedata.normalize("NFC", new.file_name)
    if not name.strip() or len(name.encode("utf-8", "replace")) > LONGEST_NAME or "\x00" in name:
        raise InvalidInput(f"A file name has 1 to {LONGEST_NAME} bytes.", code="INVALID_FILE_NAME")
    ending = extension_of(name)
    _check_size(new.file_size, services.limits.largest_file)
    services.speech.check(new.options.language, new.options.model)
    now, video_id = datetime.now(UTC), str(uuid.uuid4())
    in_parts = new.file_size > services.limits.multipart_threshold
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
        part_size=part_size_for(new.file_size) if in_parts else None,
        sha256=checked_sha256(new.sha256),
        fingerprint=new.fingerprint,
    )


def _check_size(size: int, largest: int) -> None:
    if size <= 0:
        raise InvalidInput("The file is empty.", code="EMPTY_FILE")
    if size > largest:
        raise TooLarge(f"The file has {size} bytes; at most {largest} are taken.", code="FILE_TOO_LARGE", limit=largest)


def _check_uploads(usage: Usage, limits: Limits) -> None:
    if usage.uploading >= limits.most_uploads:
        message = f"{usage.uploading} uploads are open and at most {limits.most_uploads} may be: finish or end one."
        raise RateLimited(
            message,
            code="TOO_MANY_UPLOADS",
            retry_after=_seconds_until(usage.next_expiry),
            limit=limits.most_uploads,
            open=usage.uploading,
        )


def _seconds_until(moment: datetime | None) -> float:
    """When the oldest open upload ends by itself; finishing one makes room sooner."""
    return max(1.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 1.0


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
