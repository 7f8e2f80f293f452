"""Delete a video: hidden at once, then removed from every store, ending in a receipt."""

from typing import Any

from biblio.domain import keys
from biblio.domain.flow import Status, Step
from biblio.pipeline.lease import Lease
from biblio.pipeline.publish import publish
from biblio.pipeline.services import Services


def request_deletion(services: Services, user_id: str, video_id: str) -> None:
    """From here on nobody sees the video. A new generation voids whatever still works on it. Raises `NotFound`."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        tx.videos.update(video_id, status=Status.DELETING, generation=video.generation + 1)
        video = tx.videos.get(video_id)
        tx.jobs.request(video, Step.DELETE)
    publish(services, video, Step.DELETE)


def delete(services: Services, lease: Lease) -> dict[str, Any]:
    """Every part may be repeated; the catalog goes last, so that a crash is taken up again."""
    video = lease.claim.video
    vectors = sum(len(ids) for ids in services.vectors.ids(video.user_id, video.id).values())
    services.vectors.remove(video.user_id, video.id)
    objects = services.storage.remove(keys.video_prefix(video.id))
    with services.catalog.transaction() as tx:
        tx.jobs.renew(lease.claim, seconds=60.0, progress=0)
        passages = tx.passages.remove(video.id)
        receipt = {"objects": objects, "vectors": vectors, "passages": passages}
        tx.videos.forget(video, receipt)
    return receipt
