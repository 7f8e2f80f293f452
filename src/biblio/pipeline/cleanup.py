"""Clear up behind a run that ended, well or not: generations nobody reads, and what their steps left in storage.

Only what belongs to this generation or an older one is touched: a later one may be in the making while this still runs.
"""

from typing import Any

from biblio.domain import keys
from biblio.domain.flow import WORKING
from biblio.domain.video import Video
from biblio.errors import NotFound
from biblio.pipeline.lease import LEASE_SECONDS, Lease
from biblio.pipeline.services import Services
from biblio.ports.jobs import Claim


def cleanup(services: Services, lease: Lease) -> dict[str, Any]:
    """`{objects}`: how many were removed. Every part may be repeated."""
    video = lease.claim.video
    _remove_passages(services, lease)
    for generation in services.vectors.ids(video.user_id, video.id):
        if is_stale(video, generation):
            services.vectors.remove(video.user_id, video.id, generation=generation)
        lease.report(0.0)
    stale = stale_artefacts(services, video)
    for key in stale:
        services.storage.remove(key)
        lease.report(0.0)
    for key, upload_id in unfinished_writes(services, video):
        services.storage.multipart.abort(key, upload_id)
    return {"objects": len(stale)}


def take_back(services: Services, claim: Claim) -> None:
    """What an attempt left that lost its step: nobody else will, when the clean-up behind its run has already been."""
    mine = claim.video
    video, named = _now(services, mine.id)
    for one in services.storage.inventory.objects(keys.artefacts_of(mine.id, mine.generation, claim.attempt)):
        if one.key not in named:
            services.storage.remove(one.key)
    if video is None or is_stale(video, mine.generation):
        services.vectors.remove(mine.user_id, mine.id, generation=mine.generation)


def _now(services: Services, video_id: str) -> tuple[Video | None, set[str]]:
    """The video, if it is still there, and the keys that results and checkpoints name."""
    with services.catalog.transaction() as tx:
        try:
            video = tx.videos.get(video_id)
        except NotFound:
            return None, set()
        return video, set(tx.holdings.named_keys(video))


def is_stale(video: Video, generation: int) -> bool:
    """Whether nobody reads a generation, nor ever will."""
    return generation != video.indexed_generation and _is_over(video, generation)


def _is_over(video: Video, generation: int) -> bool:
    """Whether no step of a generation is still to be done."""
    return generation < video.generation or (generation == video.generation and video.status not in WORKING)


def stale_artefacts(services: Services, video: Video) -> list[str]:
    """Keys of what steps left and no result names: of attempts that came to nothing, and of older generations."""
    with services.catalog.transaction() as tx:
        named = tx.holdings.named_keys(video)
    objects = services.storage.inventory.objects(keys.artefacts(video.id))
    return [one.key for one in objects if one.key not in named and _is_left(video, one.key)]


def unfinished_writes(services: Services, video: Video) -> list[tuple[str, str]]:
    """Keys and upload ids of what workers were writing when they died: parts that nobody sees, and that take room.

    One of a run that has just begun may be among them; it is written again.
    """
    begun = services.storage.inventory.uploads(keys.video_prefix(video.id))
    return [(key, upload_id) for key, upload_id in begun if key != video.key]


def _is_left(video: Video, key: str) -> bool:
    generation = keys.generation_of(key)
    return generation is not None and _is_over(video, generation)


def _remove_passages(services: Services, lease: Lease) -> None:
    video = lease.claim.video
    with services.catalog.transaction() as tx:
        tx.jobs.renew(lease.claim, seconds=LEASE_SECONDS)  # proves the lease: the generations can't change meanwhile
        for generation in tx.passages.ids(video.id):
            if is_stale(video, generation):
                tx.passages.remove(video.id, generation=generation)
