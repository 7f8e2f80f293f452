"""Stop the work on a video. Whatever is at it notices within a second, and can write nothing from now on."""

from biblio.domain.flow import WORKING, Status, Step
from biblio.domain.video import Video
from biblio.errors import Conflict
from biblio.pipeline.parts import free_upload
from biblio.pipeline.publish import publish
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction


def cancel(services: Services, user_id: str, video_id: str) -> Video:
    """The video, CANCELED; or COMPLETED as it was, where it was being reprocessed. A CANCELED one stays so.

    Raises `NotFound`, `Conflict` NOTHING_TO_CANCEL.
    """
    with services.catalog.transaction() as tx:
        before = tx.videos.get(video_id, user_id=user_id, lock=True)
        if before.status in WORKING:
            _stop(tx, before)
        elif before.status is Status.UPLOADING:
            tx.videos.update(video_id, status=Status.CANCELED)
        elif before.status is not Status.CANCELED:
            message = f"There is nothing to cancel: the video is {before.status}."
            raise Conflict(message, code="NOTHING_TO_CANCEL")
        video = tx.videos.get(video_id)
    if before.status in WORKING:
        publish(services, video, Step.CLEANUP)
    elif not video.has_arrived:
        free_upload(services, video)
    return video


def _stop(tx: Transaction, video: Video) -> None:
    was_whole = video.indexed_generation is not None
    tx.videos.update(
        video.id,
        status=Status.COMPLETED if was_whole else Status.CANCELED,
        generation=video.generation + 1,
        step=None,
        progress=100 if was_whole else video.progress,
    )
    # What was reached is kept, so that a later run may begin there.
    results = tx.jobs.results(video, video.generation)
    tx.jobs.request(tx.videos.get(video.id), Step.CLEANUP, results=results)
