"""Step 2: the bytes have arrived; set the video on its road."""

from biblio.domain.container import looks_like
from biblio.domain.flow import Status, first_stage
from biblio.domain.video import Video
from biblio.errors import Conflict, InvalidInput, NotFound
from biblio.pipeline.publish import publish
from biblio.pipeline.services import Services

FIRST_BYTES = 4096


def complete_upload(services: Services, user_id: str, video_id: str) -> Video:
    """Check what lies in storage and request the first step; doing so again changes nothing.

    Raises `NotFound`, `Conflict` (the object is missing or the video is past this), `InvalidInput` (wrong bytes).
    """
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
    if video.status is not Status.UPLOADING:
        return _already(video)
    etag = _check_object(services, video)
    step = first_stage().step
    with services.catalog.transaction() as tx:
        if tx.videos.update(video_id, when=Status.UPLOADING, status=Status.PENDING, etag=etag):
            tx.jobs.request(video, step)
        video = tx.videos.get(video_id, user_id=user_id)
    publish(services, video, step)
    return video


def _already(video: Video) -> Video:
    """A second click finds the video on its way; one that can't be started any more says so."""
    if video.status in (Status.CANCELED, Status.EXPIRED):
        raise Conflict(f"The upload has ended: the video is {video.status}.", code="UPLOAD_ENDED")
    return video


def _check_object(services: Services, video: Video) -> str:
    """The etag of the object that was checked, so that later reads can insist on it."""
    try:
        stored = services.storage.stat(video.key)
    except NotFound:
        raise Conflict("The file has not arrived in storage yet.", code="OBJECT_MISSING") from None
    if stored.size != video.file_size:
        message = f"{video.file_size} bytes were declared, {stored.size} arrived."
        raise Conflict(message, code="SIZE_MISMATCH", declared=video.file_size, arrived=stored.size)
    pieces = services.storage.read(video.key, end=min(FIRST_BYTES, stored.size), etag=stored.etag)
    if not looks_like(b"".join(pieces)):
        raise InvalidInput(f"'{video.file_name}' does not begin like a video or sound file.", code="UNREADABLE_MEDIA")
    return stored.etag
