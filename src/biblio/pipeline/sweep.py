"""Finish what a crash left, and what clients that vanished left.

Jobs that no worker was told of, whose worker died, or that the broker lost are announced. Uploads whose bytes are all
there are started; those that never came end.
"""

import logging
from collections.abc import Sequence

from biblio.domain import keys
from biblio.domain.flow import Queue, Status
from biblio.domain.measures import SWEPT
from biblio.domain.video import Video
from biblio.errors import BiblioError, Conflict, InvalidInput, NotFound, Unavailable
from biblio.pipeline.once import REMEMBERED
from biblio.pipeline.publish import send
from biblio.pipeline.services import Services
from biblio.pipeline.trigger import start
from biblio.ports.uploads import Upload

MOST_AT_ONCE = 500

log = logging.getLogger(__name__)


def sweep(services: Services) -> int:
    """How many jobs were announced. Harmless when two do it at once: an upload starts once, a job is claimed once."""
    announced = announce(services)
    look_at_uploads(services)
    return announced


def announce(services: Services) -> int:
    """How many jobs the broker was told of. Asks nothing of storage, which may be slow."""
    quiet = _quiet(services)
    with services.catalog.transaction() as tx:
        jobs = tx.outbox.due(quiet=quiet, limit=MOST_AT_ONCE)
    announced = 0
    for job in jobs:
        if not send(services, job):
            break  # the broker is away: each of the others would wait as long
        announced += 1
    services.meter.observe(SWEPT, announced)
    return announced


def look_at_uploads(services: Services) -> None:
    with services.catalog.transaction() as tx:
        uploads = tx.uploads.due(limit=MOST_AT_ONCE)
        tx.answers.forget(seconds=REMEMBERED)
        tx.sessions.forget()
    _look_at(services, uploads)


def _quiet(services: Services) -> list[Queue]:
    """Queues in which no message waits. None of them while the broker is down: nothing could be sent anyway."""
    try:
        return [queue for queue in Queue if services.queue.waiting(queue) == 0]
    except Unavailable:
        return []


def _look_at(services: Services, uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        try:
            settle(services, upload)
        except Unavailable as error:
            # Each of the others would wait as long, and jobs with them; they are due again soon.
            log.warning("uploads are looked at later: %s", error)
            return
        except BiblioError as error:  # one that can't be looked at must not hold up the others
            log.warning("the upload of video %s could not be looked at: %s", upload.video_id, error)


def settle(services: Services, upload: Upload) -> None:
    """What is to be done about one upload now. Raises what storage and catalog raise."""
    video, prefix = _video(services, upload), keys.video_prefix(upload.video_id)
    if video is not None and video.status is Status.UPLOADING:
        return _start_or_expire(services, upload, video)
    went_on = video is not None and video.status is not Status.DELETING and not video.upload_has_ended
    if video is None or video.upload_has_ended:
        # Again and again, as long as something that was signed, or a worker that stood still, can still write.
        services.storage.remove(prefix)
    if video is None:
        _remove_vectors(services, upload.video_id)
    if upload.is_silent and video is not None:
        # Begun by a process that died before it could say so. The original's alone: workers write beside it.
        services.storage.multipart.clear(video.key)
    if upload.is_silent or went_on:
        with services.catalog.transaction() as tx:
            tx.uploads.forget(upload.video_id, when_silent=not upload.is_silent)
    return None


def _remove_vectors(services: Services, video_id: str) -> None:
    with services.catalog.transaction() as tx:
        receipt = tx.holdings.receipt(video_id)
    if receipt is not None:
        services.vectors.remove(receipt.user_id, video_id)


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
