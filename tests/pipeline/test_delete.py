"""Delete: hidden at once, removed from every store, and a receipt that lists each thing."""

import io
from dataclasses import replace
from typing import Any

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.errors import NotFound, Unavailable
from biblio.pipeline import runner
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.search import Answer, search
from biblio.pipeline.sweep import settle
from biblio.ports.holdings import Receipt
from tests.pipeline.road import WORKER, Road


def receipt(road: Road, video: Video) -> Receipt | None:
    with road.services.catalog.transaction() as tx:
        return tx.holdings.receipt(video.id)


def removed(road: Road, video: Video) -> dict[str, Any]:
    """Of the receipt; nothing else is left."""
    found = receipt(road, video)
    assert found is not None
    assert (found.video_id, found.user_id) == (video.id, video.user_id)
    assert road.objects(video) == set()
    assert list(road.services.storage.inventory.uploads(f"videos/{video.id}/")) == []
    assert road.generations(video) == (set(), set())
    with pytest.raises(NotFound):
        road.now(video)
    assert road.drift(video) == []
    return found.removed


def test_the_receipt_lists_each_object_upload_vector_and_row(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    road.finish()
    road.services.storage.multipart.begin(video.key, content_type="audio/wav", checksums=False)
    objects = {one.key: one.size for one in road.services.storage.inventory.objects(f"videos/{video.id}/")}
    uploads = {upload: key for key, upload in road.services.storage.inventory.uploads(f"videos/{video.id}/")}
    vectors = len(road.services.vectors.ids(user, video.id)[1])
    request_deletion(road.services, user, video.id)
    assert receipt(road, video) is None
    road.finish()
    found = removed(road, video)
    assert found["objects"] == objects
    assert found["objects"][video.key] == video.file_size
    assert found["uploads"] == uploads
    assert len(uploads) == 1
    assert found["vectors"] == {"1": vectors}
    assert found["rows"]["videos"] == 1
    assert found["rows"]["passages"] == vectors > 4
    assert found["rows"]["blocks"] == 1
    assert found["rows"]["words"] > 4
    assert found["rows"]["jobs"] >= 5


def test_hidden_at_once(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    assert search(road.services, user, "벡터").found
    request_deletion(road.services, user, video.id)
    assert search(road.services, user, "벡터") == Answer((), None)
    with pytest.raises(NotFound):
        request_deletion(road.services, user, video.id)
    with road.services.catalog.transaction() as tx:
        assert tx.videos.page(user, limit=10).videos == ()
    road.finish()
    with pytest.raises(NotFound):
        request_deletion(road.services, user, video.id)
    assert [event.status for event in road.events(video)][-1] is Status.DELETING


@pytest.mark.parametrize("status", [Status.PENDING, Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING])
def test_on_the_road(road: Road, user: str, status: Status) -> None:
    video = road.at(status, user)
    request_deletion(road.services, user, video.id)
    road.finish()
    assert video.key in removed(road, video)["objects"]


def test_an_upload_that_goes_on(road: Road, user: str) -> None:
    video = road.sent(user)
    request_deletion(road.services, user, video.id)
    road.finish()
    assert set(removed(road, video)["objects"]) == {video.key}


def test_what_was_removed_before_a_crash_is_on_the_receipt(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    road.finish()
    objects, vectors = road.objects(video), len(road.services.vectors.ids(user, video.id)[1])
    request_deletion(road.services, user, video.id)

    class Forgetful:
        """Removes, and then goes away."""

        def __getattr__(self, name: str) -> Any:
            return getattr(road.services.storage, name)

        def remove(self, prefix: str) -> int:
            road.services.storage.remove(prefix)
            raise Unavailable("It went away.")

    forgetful: Any = Forgetful()
    assert runner.work(replace(road.services, storage=forgetful), Queue.INDEX, WORKER)
    assert receipt(road, video) is None
    road.finish()
    found = removed(road, video)
    assert set(found["objects"]) == objects
    assert found["vectors"] == {"1": vectors}


def test_it_never_gives_up(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    road.finish()
    request_deletion(road.services, user, video.id)

    class Away:
        def __getattr__(self, _name: str) -> Any:
            raise Unavailable("It is away.")

    away: Any = Away()
    for _ in range(15):
        road.make_due()
        assert runner.work(replace(road.services, vectors=away), Queue.INDEX, WORKER)
    assert [job[:2] for job in road.jobs(video)] == [(Step.DELETE, "READY")]
    road.finish()
    removed(road, video)


def test_while_it_is_reprocessed_every_generation_goes(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    reprocess(road.services, user, video.id, step=Step.INDEX)
    road.walk(video)
    request_deletion(road.services, user, video.id)
    road.finish()
    assert set(removed(road, video)["vectors"]) == {"1", "2"}


def test_what_a_worker_that_stood_still_wrote_afterwards_is_swept(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    request_deletion(road.services, user, video.id)
    road.finish()
    late = f"videos/{video.id}/generations/1/1/vectors.json"
    road.services.storage.write(late, io.BytesIO(b"{}"), content_type="application/json")
    with road.services.catalog.transaction() as tx:
        upload = tx.uploads.get(video.id)
    settle(road.services, upload)
    removed(road, video)


def test_it_waits_for_a_worker_that_may_not_have_noticed(road: Road, user: str) -> None:
    """What it writes meanwhile is removed too, and stands on the receipt."""
    video = road.begun(user)
    with road.services.catalog.transaction() as tx:
        assert tx.jobs.claim(Queue.MEDIA, "busy", seconds=60.0) is not None
    request_deletion(road.services, user, video.id)
    assert not road.work(Queue.INDEX), "not before its lease is over"
    late = f"videos/{video.id}/audio_extracted.mp3"
    road.services.storage.write(late, io.BytesIO(b"sound"), content_type="audio/mpeg")
    road.finish()
    assert removed(road, video)["objects"][late] == 5
