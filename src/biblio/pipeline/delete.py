"""Delete a video: hidden at once, then removed from every store, ending in a receipt that lists each thing."""

from typing import Any

from biblio.domain import keys
from biblio.domain.flow import Status, Step
from biblio.domain.video import Video
from biblio.pipeline.lease import LEASE_SECONDS, Lease
from biblio.pipeline.publish import publish
from biblio.pipeline.services import Services


def request_deletion(services: Services, user_id: str, video_id: str) -> None:
    """From here on nobody sees the video. A new generation voids whatever still works on it. Raises `NotFound`."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id, lock=True)
        tx.videos.update(video_id, status=Status.DELETING, generation=video.generation + 1)
        video = tx.videos.get(video_id)
        tx.jobs.request(video, Step.DELETE)
        # A worker that stood still may yet write: the sweep clears again until none can be.
        tx.uploads.signed([video_id], seconds=0)
    publish(services, video, Step.DELETE)


def delete(services: Services, lease: Lease) -> dict[str, Any]:
    """Every part may be repeated; the catalog goes last, so that a crash is taken up again. The receipt."""
    video = lease.claim.video
    receipt = _noted(services, lease)
    services.vectors.remove(video.user_id, video.id)
    lease.report(0.5)
    for place in _places(video):
        services.storage.remove(place)
    with services.catalog.transaction() as tx:
        tx.jobs.renew(lease.claim, seconds=LEASE_SECONDS)
        receipt["rows"] = tx.videos.forget(video, receipt)
    return receipt


def _noted(services: Services, lease: Lease) -> dict[str, Any]:
    """What there is to be removed, added to what an earlier attempt had seen: it may have removed half of it."""
    video, before = lease.claim.video, lease.claim.checkpoint
    inventory, places = services.storage.inventory, _places(video)
    objects = {one.key: one.size for place in places for one in inventory.objects(place) if _is_in(place, one.key)}
    uploads = {upload_id: key for place in places for key, upload_id in inventory.uploads(place) if _is_in(place, key)}
    vectors = {str(generation): len(ids) for generation, ids in services.vectors.ids(video.user_id, video.id).items()}
    noted = {
        "objects": {**before.get("objects", {}), **objects},
        "uploads": {**before.get("uploads", {}), **uploads},
        "vectors": {**before.get("vectors", {}), **vectors},
    }
    lease.save(noted)
    return noted


def _places(video: Video) -> list[str]:
    """Where its objects lie: in its own folder; the original may have been put elsewhere by another producer."""
    own = keys.video_prefix(video.id)
    return [own] if video.key.startswith(own) else [own, video.key]


def _is_in(place: str, key: str) -> bool:
    """What only begins like the key of an original is somebody else's."""
    return place.endswith("/") or key == place
