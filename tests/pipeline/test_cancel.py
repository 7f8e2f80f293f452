"""Cancel, at every status and at every moment of the work."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Options
from biblio.errors import Conflict, NotFound, Unavailable
from biblio.pipeline import runner
from biblio.pipeline.cancel import cancel
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.drift import Drift
from biblio.pipeline.lease import Worker
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.trigger import complete_upload
from biblio.pipeline.upload import NewVideo, begin_upload
from tests.pipeline.road import Road, open_road

WORKING = [Status.PENDING, Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING]
SOON = 5.0
"""Seconds within which the work has stopped."""


@pytest.mark.parametrize("status", WORKING)
def test_on_the_road(road: Road, user: str, status: Status) -> None:
    video = road.at(status, user)
    canceled = cancel(road.services, user, video.id)
    assert (canceled.status, canceled.generation) == (Status.CANCELED, 2)
    assert (canceled.progress, canceled.step) == (video.progress, None)
    assert cancel(road.services, user, video.id) == canceled, "a second click changes nothing"
    road.finish()
    assert road.now(video) == canceled
    assert road.generations(video) == (set(), set())
    assert road.services.storage.stat(video.key).etag == video.etag, "its file stays"
    assert road.drift(video) == []


def test_an_upload(road: Road, user: str) -> None:
    video = road.sent(user)
    for _ in range(2):
        assert cancel(road.services, user, video.id).status is Status.CANCELED
    assert road.objects(video) == set()
    with pytest.raises(Conflict) as refused:
        complete_upload(road.services, user, video.id)
    assert refused.value.code == "UPLOAD_ENDED"


def test_an_upload_in_parts_is_freed(road: Road, user: str) -> None:
    small = road.limited(multipart_threshold=1000)
    with small.services.catalog.transaction() as tx:
        video, _ = begin_upload(small.services, tx, user, NewVideo("film.mp4", 6_000_000))
    small.services.storage.multipart.begin(video.key, content_type="video/mp4", checksums=False)
    assert cancel(small.services, user, video.id).status is Status.CANCELED
    assert list(road.services.storage.inventory.uploads(f"videos/{video.id}/")) == []


def test_an_upload_whose_storage_is_away_is_freed_by_the_sweep(road: Road, user: str) -> None:
    video = road.sent(user)

    class Away:
        def remove(self, _prefix: str) -> int:
            raise Unavailable("It is away.")

    away: Any = Away()
    canceled = cancel(replace(road.services, storage=away), user, video.id)
    assert canceled.status is Status.CANCELED
    assert road.drift(video) == [Drift("belongs to no video", f"object {video.key}")]


def test_while_it_is_reprocessed_it_is_whole_as_before(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    with road.services.catalog.transaction() as tx:
        before = tx.videos.transcript(video.id)
    for step, status in ((Step.EXTRACT, Status.PENDING), (Step.EXTRACT, Status.INDEXING)):
        english = Options("en") if step is Step.EXTRACT else None
        reprocess(road.services, user, video.id, step=step, options=english)
        road.walk(video, status)
        canceled = cancel(road.services, user, video.id)
        assert (canceled.status, canceled.progress, canceled.indexed_generation) == (Status.COMPLETED, 100, 1)
        road.finish()
        with road.services.catalog.transaction() as tx:
            assert tx.videos.transcript(video.id) == before
        assert road.generations(video) == ({1}, {1})
        assert road.drift(video) == []
    with pytest.raises(Conflict, match="nothing to cancel"):
        cancel(road.services, user, video.id)


def test_what_has_ended(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    with road.services.catalog.transaction() as tx:
        tx.videos.update(video.id, status=Status.FAILED)
    for status in (Status.FAILED, Status.EXPIRED):
        with road.services.catalog.transaction() as tx:
            tx.videos.update(video.id, status=status)
        with pytest.raises(Conflict) as refused:
            cancel(road.services, user, video.id)
        assert refused.value.code == "NOTHING_TO_CANCEL"


def test_what_is_not_there(road: Road, user: str) -> None:
    video = road.begun(user)
    with pytest.raises(NotFound):
        cancel(road.services, road.new_user(), video.id)
    request_deletion(road.services, user, video.id)
    with pytest.raises(NotFound):
        cancel(road.services, user, video.id)


@pytest.fixture
def slow(addresses: Mapping[str, str]) -> Iterator[Road]:
    """Its recogniser takes a second for every sentence."""
    with open_road(addresses, "scripted://?seconds_per_sentence=1") as road:
        yield road


def at_work(road: Road, queue: Queue, die: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=road.work, args=(queue, Worker("canceled", die=die.set)))
    thread.start()
    return thread


def test_a_slow_model_stops(slow: Road, user: str) -> None:
    video, died = slow.at(Status.TRANSCRIBING, user), threading.Event()
    thread = at_work(slow, Queue.AI, died)
    time.sleep(0.5)
    cancel(slow.services, user, video.id)
    thread.join(SOON)
    assert not thread.is_alive()
    assert not died.is_set()
    assert slow.now(video).status is Status.CANCELED


def test_a_model_that_does_not_look_up_dies_with_its_process(road: Road, user: str) -> None:
    class Deep:
        """In the middle of a batch."""

        name = "deep"
        out = threading.Event()

        def model_name(self, _model: str | None) -> str:
            return "deep"

        def transcribe(self, _audio: Path, **_: Any) -> Any:
            self.out.wait(20)
            yield from ()

    deep: Any = Deep()
    video, died = road.at(Status.TRANSCRIBING, user), threading.Event()
    thread = at_work(replace(road, services=replace(road.services, speech=deep)), Queue.AI, died)
    time.sleep(0.5)
    cancel(road.services, user, video.id)
    assert died.wait(SOON)
    deep.out.set()
    thread.join(5)
    assert road.now(video).status is Status.CANCELED


def test_ffmpeg_stops(road: Road, user: str) -> None:
    """It reads from a storage that is very slow."""

    class Dripping:
        def __getattr__(self, name: str) -> Any:
            return getattr(road.services.storage, name)

        def read(self, *arguments: Any, **more: Any) -> Any:
            for piece in road.services.storage.read(*arguments, **more):
                for place in range(0, len(piece), 4096):
                    time.sleep(0.2)
                    yield piece[place : place + 4096]

    dripping: Any = Dripping()
    video, died = road.begun(user), threading.Event()
    thread = at_work(replace(road, services=replace(road.services, storage=dripping)), Queue.MEDIA, died)
    time.sleep(1.5)
    assert ffmpegs(), "it is at work"
    cancel(road.services, user, video.id)
    thread.join(SOON)
    assert not thread.is_alive()
    assert not died.is_set()
    assert ffmpegs() == []
    assert road.now(video).status is Status.CANCELED
    road.finish()
    assert road.drift(video) == []


def ffmpegs() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [one for one in children if one.is_running() and "ffmpeg" in one.name() and one.status() != "zombie"]


def test_what_is_canceled_at_the_very_end_is_one_or_the_other(road: Road, user: str) -> None:
    """The step's result is about to be written."""
    video = road.at(Status.INDEXING, user)

    class Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(road.services.vectors, name)

        def search(self, *arguments: Any, **more: Any) -> Any:
            found = road.services.vectors.search(*arguments, **more)
            cancel(road.services, user, video.id)
            return found

    late: Any = Late()
    assert runner.work(replace(road.services, vectors=late), Queue.INDEX, Worker("late"))
    assert road.now(video).status is Status.CANCELED
    road.finish()
    assert road.generations(video) == (set(), set())
    assert road.drift(video) == []
