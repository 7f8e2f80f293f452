"""A video announced by another producer, straight to the queue. Whoever may write to the queue is trusted to speak for
a user, and with nothing else: what is said is checked against catalog and storage."""

from dataclasses import dataclass
from datetime import UTC, datetime

from biblio.domain import keys
from biblio.domain.flow import Status
from biblio.domain.video import MIME_TYPES, Options, Video, extension_of, title_of
from biblio.errors import Conflict, InvalidInput, NotFound, QuotaExceeded, TooLarge
from biblio.pipeline.quota import check_quota, check_room
from biblio.pipeline.services import Services
from biblio.pipeline.trigger import start


@dataclass(frozen=True)
class Announced:
    """The payload of the specification's job message (step 2)."""

    video_id: str
    user_id: str
    bucket: str
    key: str
    options: Options


def ingest(services: Services, announced: Announced) -> None:
    """Set the video on its road, once, however often it is announced; one that nobody knew is added first.

    Raises `InvalidInput` for what makes no sense, `Unavailable`.
    """
    if announced.bucket != services.storage.bucket:
        raise InvalidInput(f"The bucket is not '{services.storage.bucket}'.", code="BAD_MESSAGE")
    services.speech.check(announced.options.language, announced.options.model)
    video = _known(services, announced) or _added(services, announced) or _known(services, announced)
    if video is None:
        raise InvalidInput("This video was deleted.", code="BAD_MESSAGE")
    if (video.user_id, video.key) != (announced.user_id, announced.key):
        raise InvalidInput("The video is another user's, or lies elsewhere.", code="BAD_MESSAGE")
    try:
        if video.status is Status.UPLOADING:
            start(services, video)
    except (Conflict, NotFound) as error:
        raise InvalidInput(error.message, code=error.code) from error


def _known(services: Services, announced: Announced) -> Video | None:
    with services.catalog.transaction() as tx:
        try:
            return tx.videos.get(announced.video_id)
        except NotFound:
            return None


def _added(services: Services, announced: Announced) -> Video | None:
    """None when it was deleted, or when somebody else has just added it."""
    video = _described(services, announced)
    try:
        with services.catalog.transaction() as tx:
            if tx.holdings.receipt(video.id) is not None:
                return None
            check_room(services, tx, announced.user_id, video.file_size)
            check_quota(services, tx, announced.user_id)
            with services.tracer.span("ingestion", video.id, first=True):
                tx.videos.add(video)
                tx.uploads.add(video.id, seconds=services.limits.upload_lifetime)
    except Conflict:
        return None
    except (TooLarge, QuotaExceeded) as error:
        raise InvalidInput(error.message, code=error.code) from error
    return video


def _described(services: Services, announced: Announced) -> Video:
    owner = keys.owner_of(announced.key)
    if owner is not None and keys.video_id_of(announced.key) != announced.video_id:
        raise InvalidInput("The key lies in a video's folder, and is not its own original.", code="BAD_MESSAGE")
    try:
        stored = services.storage.stat(announced.key)
    except NotFound:
        raise InvalidInput("Nothing lies at this key.", code="OBJECT_MISSING") from None
    name, now = announced.key.rpartition("/")[2], datetime.now(UTC)
    return Video(
        id=announced.video_id,
        user_id=announced.user_id,
        title=title_of(name),
        file_name=name,
        file_size=stored.size,
        mime_type=MIME_TYPES[extension_of(name)],
        key=announced.key,
        status=Status.UPLOADING,
        options=announced.options,
        created_at=now,
        updated_at=now,
        acknowledged=True,
    )
