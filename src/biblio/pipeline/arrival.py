"""Has the file arrived, and is it the one that was declared?"""

from biblio.domain.container import looks_like
from biblio.domain.parts import PartPlan
from biblio.domain.video import Video
from biblio.errors import Conflict, InvalidInput, NotFound
from biblio.pipeline.parts import drop_upload, stored_parts
from biblio.pipeline.services import Services
from biblio.ports.storage import StoredObject

FIRST_BYTES = 4096


def arrived(services: Services, video: Video) -> StoredObject:
    """The object, put together where it came in parts, and checked. May be called again, and by many at once.

    Raises `Conflict` (OBJECT_MISSING, PARTS_MISSING, SIZE_MISMATCH) while it is not there, `InvalidInput`
    (UNREADABLE_MEDIA) when it never can be right.
    """
    stored = _put(services, video) if video.part_size is None else _joined(services, video, video.part_size)
    if stored.size != video.file_size:
        message = f"{video.file_size} bytes were declared, {stored.size} arrived."
        raise Conflict(message, code="SIZE_MISMATCH", declared=video.file_size, arrived=stored.size)
    if not looks_like(_first_bytes(services, stored)):
        raise InvalidInput(f"'{video.file_name}' does not begin like a video or sound file.", code="UNREADABLE_MEDIA")
    return stored


def _first_bytes(services: Services, stored: StoredObject) -> bytes:
    pieces = services.storage.read(stored.key, end=min(FIRST_BYTES, stored.size), etag=stored.etag)
    try:
        return b"".join(pieces)
    except NotFound:  # somebody has just ended the upload
        raise _missing() from None


def _put(services: Services, video: Video) -> StoredObject:
    try:
        return services.storage.stat(video.key)
    except NotFound:
        raise _missing() from None


def _missing() -> Conflict:
    return Conflict("The file has not arrived in storage yet.", code="OBJECT_MISSING")


def _joined(services: Services, video: Video, part_size: int) -> StoredObject:
    plan = PartPlan(video.file_size, part_size)
    with services.catalog.transaction() as tx:
        upload = tx.uploads.get(video.id)
    parts = stored_parts(services, video, upload)
    # S3 would put an object together without its middle; here nothing may be missing, and nothing be of another size.
    missing = plan.missing((part.number, part.size) for part in parts or ())
    if parts and not missing and upload.upload_id is not None:
        try:
            planned = [part for part in parts if part.number <= plan.count]
            return services.storage.multipart.complete(video.key, upload.upload_id, planned)
        except NotFound:
            pass  # somebody else was faster
    try:
        return services.storage.stat(video.key)
    except NotFound:
        if parts is None:
            drop_upload(services, upload)
        raise _parts_missing(missing, plan) from None


def _parts_missing(missing: list[int], plan: PartPlan) -> Conflict:
    message = f"{len(missing)} of {plan.count} parts have not arrived yet."
    return Conflict(message, code="PARTS_MISSING", numbers=missing)
