"""Compare the stores with each other, both ways: what one holds and another does not is drift.

The catalog says what should be; `mend` brings the others in line with it. Nothing that a person sent is ever removed,
unless a receipt says that they had it deleted: a catalog restored from yesterday knows nothing of today's films.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial

from biblio.domain import keys
from biblio.domain.video import Video
from biblio.errors import NotFound
from biblio.pipeline.drift import Drift, drifts_of
from biblio.pipeline.services import Services

PAGE = 200
VIDEOS = "videos/"

Owner = Callable[[str], Video | None]


def check(services: Services, *, mend: bool = False) -> Iterator[Drift]:
    """Every drift between catalog, storage and vectors. Work that is under way is none."""
    for video in _videos(services):
        yield from drifts_of(services, video, mend)
    owner: Owner = cache(partial(_video, services))
    yield from _check_objects(services, owner, mend)
    yield from _check_uploads(services, owner, mend)
    yield from _check_vectors(services, owner, mend)


def _videos(services: Services) -> Iterator[Video]:
    after = ""
    while True:
        with services.catalog.transaction() as tx:
            page = tx.holdings.videos(after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def _video(services: Services, video_id: str) -> Video | None:
    try:
        with services.catalog.transaction() as tx:
            return tx.videos.get(video_id)
    except NotFound:
        return None


def _check_objects(services: Services, owner: Owner, mend: bool) -> Iterator[Drift]:
    inventory = services.storage.inventory
    for key in (one.key for one in inventory.objects(VIDEOS)):
        # Asked twice, because one that is just being deleted was listed before.
        if _is_nobodys(key, owner) and any(one.key == key for one in inventory.objects(key)):
            mended = mend and _may_go(services, key, owner)
            if mended:
                services.storage.remove(key)
            yield Drift("belongs to no video", f"object {key}", mended)


def _check_uploads(services: Services, owner: Owner, mend: bool) -> Iterator[Drift]:
    inventory = services.storage.inventory
    for key, upload_id in inventory.uploads(VIDEOS):
        if _is_nobodys(key, owner) and (key, upload_id) in inventory.uploads(key):
            mended = mend and _may_go(services, key, owner)
            if mended:
                services.storage.multipart.abort(key, upload_id)
            yield Drift("belongs to no video", f"upload {key}", mended)


def _is_nobodys(key: str, owner: Owner) -> bool:
    """What lies beside our folders is somebody else's."""
    video_id = keys.owner_of(key)
    if video_id is None:
        return False
    video = owner(video_id)
    return video is None or video.upload_has_ended


def _may_go(services: Services, key: str, owner: Owner) -> bool:
    """What biblio made itself can be made again; an original goes only where its end is on record."""
    video_id = keys.video_id_of(key)
    if video_id is None or owner(video_id) is not None:
        return True
    with services.catalog.transaction() as tx:
        return tx.holdings.receipt(video_id) is not None


def _check_vectors(services: Services, owner: Owner, mend: bool) -> Iterator[Drift]:
    vectors = services.vectors
    for one in vectors.owners():
        video = owner(one.video_id)
        is_known = video is not None and video.user_id == one.user_id
        if not is_known and one.generation in vectors.ids(one.user_id, one.video_id):
            if mend:
                vectors.remove(one.user_id, one.video_id, generation=one.generation)
            yield Drift("belongs to no video", f"generation {one.generation} of video {one.video_id}", mend)
