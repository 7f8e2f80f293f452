"""Finish what a crash left, and what clients that vanished left.

Jobs that no worker was told of, whose worker died, or that the broker lost are announced. Uploads whose bytes are all
there are started; those that never came end.
"""

import logging

from biblio.domain import keys
from biblio.domain.flow import Queue, Status
from biblio.domain.video import Video
from biblio.errors import BiblioError, Conflict, InvalidInput, NotFound, Unavailable
from biblio.pipeline.once import REMEMBERED
from biblio.pipeline.publish import send
from biblio.pipeline.services import Services
from biblio.pipeline.trigger import start
from biblio.ports.uploads import Upload

MOST_AT_ONCE = 500
ENDED_WITHOUT_BYTES = (Status.CANCELED, Status.EXPIRED)

log = logging.getLogger(__name__)


def sweep(services: Services) -> int:
    """How many jobs were announced. Harmless when two do it at once: an upload starts once, a job is claimed once."""
    with services.catalog.transaction() as tx:
        jobs = tx.jobs.due(quiet=_quiet(services), limit=MOST_AT_ONCE)
    for job in jobs:
        send(services, job)
    with services.catalog.transaction() as tx:
        uploads = tx.uploads.due(limit=MOST_AT_ONCE)
        tx.answers.forget(seconds=REMEMBERED)
    for upload in uploads:
        _look_at(services, upload)
    return len(jobs)


def _quiet(services: Services) -> list[Queue]:
    """Queues in which no message waits. None of them while the broker is down: nothing could be sent anyway."""
    try:
        return [queue for queue in Queue if services.queue.waiting(queue) == 0]
    except Unavailable:
        return []


def _look_at(services: Services, upload: Upload) -> None:
    try:
        _settle(services, upload)
    except BiblioError as error:  # one that can't be looked at now must not hold up the others
        log.warning("the upload of video %s could not be looked at: %s", upload.video_id, error)


def _settle(services: Services, upload: Upload) -> None:
    video = _video(services, upload)
    if video is not None and video.status is Status.UPLOADING:
        return _start_or_expire(services, upload, video)
    if video is None or video.status in ENDED_WITHOUT_BYTES:
        # Again and at last when nothing signed can still be written: a PUT may have come in after the end.
        services.storage.remove(keys.video_prefix(upload.video_id))
    with services.catalog.transaction() as tx:
        tx.uploads.forget(upload.video_id, when_silent=not upload.is_silent)
    return None


def _video(services: Services, upload: Upload) -> Video | None:
    try:
        with services.catalog.transaction() as tx:
            return tx.videos.get(upload.video_id)
    except NotFound:
        return None


def _start_or_expire(services: Services, upload: Upload, video: Video) -> None:
    try:
        start(services, video)
        log.info("video %s had arrived without a word from its client", video.id)
    except InvalidInput as error:
        log.info("video %s had arrived, but is none: %s", video.id, error)
    except Conflict:
        if upload.is_over:
            _expire(services, video)


def _expire(services: Services, video: Video) -> None:
    with services.catalog.transaction() as tx:
        expired = tx.videos.update(video.id, when=Status.UPLOADING, status=Status.EXPIRED)
    if expired:
        services.storage.remove(keys.video_prefix(video.id))
        log.info("video %s never arrived: EXPIRED", video.id)
