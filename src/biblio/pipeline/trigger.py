"""Step 2: the bytes have arrived; set the video on its road. Client, storage event and sweep all come here."""

from biblio.domain.flow import Status, Step, first_stage
from biblio.domain.video import Failure, Video
from biblio.errors import Conflict, InvalidInput, NotFound
from biblio.pipeline.arrival import arrived
from biblio.pipeline.parts import refuse_ended
from biblio.pipeline.publish import publish
from biblio.pipeline.services import Services
from biblio.ports.usage import BYTES_STORED, Used


def complete_upload(services: Services, user_id: str, video_id: str) -> Video:
    """The client says that all is there. Raises `NotFound` and what `start` raises."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
    video = start(services, video)
    if not video.acknowledged:
        # Storage's event or the sweep may be faster than a client's call; a client that never called may still ask.
        with services.catalog.transaction() as tx:
            tx.videos.update(video_id, acknowledged=True)
    return video


def start_arrived(services: Services, video_id: str, key: str) -> bool:
    """Storage says that something lies at `key`. Whether a video was set on its road.

    Nothing is believed: the event only says where to look.
    """
    try:
        with services.catalog.transaction() as tx:
            video = tx.videos.get(video_id)
        if video.key != key or video.status is not Status.UPLOADING:
            return False
        start(services, video)
        return True
    except (NotFound, Conflict, InvalidInput):
        return False


def start(services: Services, video: Video) -> Video:
    """Check what lies in storage and request the first step; doing so again, or twice at once, changes nothing.

    Raises `Conflict` (it is not all there, or the upload has ended) and `InvalidInput` (wrong bytes: it has FAILED).
    """
    if video.status is not Status.UPLOADING:
        return _already(video)
    try:
        etag = arrived(services, video).etag
    except Conflict as missing:
        return _moved_on(services, video, missing)
    except InvalidInput as error:
        _fail(services, video, error)
        raise
    with services.tracer.span("trigger", video.id):
        return _set_off(services, video, etag)


def _set_off(services: Services, video: Video, etag: str) -> Video:
    step = first_stage().step
    with services.catalog.transaction() as tx:
        is_first = tx.videos.update(video.id, when=Status.UPLOADING, status=Status.PENDING, etag=etag)
        video = tx.videos.get(video.id, user_id=video.user_id)  # one being deleted is not there
        if is_first:
            tx.jobs.request(video, step)
            tx.usage.add(video, Used(BYTES_STORED, video.file_size, "storage"))
    if not is_first:
        return _already(video)
    publish(services, video, step)
    return video


def _moved_on(services: Services, video: Video, missing: Conflict) -> Video:
    """Something may be missing because the upload has just ended, or was just completed."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video.id, user_id=video.user_id)
    if video.status is Status.UPLOADING:
        raise missing
    return _already(video)


def _already(video: Video) -> Video:
    """A second click finds the video on its way; one that could not be started, or can't any more, says so."""
    refuse_ended(video)
    if video.failure and video.etag is None:
        raise InvalidInput(video.failure.message, code=video.failure.code)
    return video


def _fail(services: Services, video: Video, error: InvalidInput) -> None:
    """What lies there can't be replaced, so it will never be right. The first step would have said the same."""
    failure = Failure(Step.EXTRACT, error.code, error.message)
    with services.catalog.transaction() as tx:
        tx.videos.update(video.id, when=Status.UPLOADING, status=Status.FAILED, failure=failure)
