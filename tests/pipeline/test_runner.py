"""One step at a time, on real engines."""

import io
import time
from collections.abc import Mapping
from itertools import groupby

import pytest

from biblio.bootstrap import build
from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.pipeline.search import search
from biblio.pipeline.sweep import sweep
from biblio.pipeline.trigger import complete_upload
from biblio.settings import read_settings
from tests.pipeline.road import Road

QUEUES = (Queue.MEDIA, Queue.AI, Queue.AI, Queue.INDEX)


def test_the_road_step_by_step(road: Road, begun: Video) -> None:
    assert begun.status is Status.PENDING
    following = (Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING, Status.COMPLETED)
    progress = [0]
    for queue, status in zip(QUEUES, following, strict=True):
        assert road.work(queue)
        assert road.now(begun).status is status
        progress.append(road.now(begun).progress)
    assert progress == sorted(set(progress))
    assert progress[-1] == 100
    with road.services.catalog.transaction() as tx:
        script, sentences = tx.videos.transcript(begun.id)
    assert script == " ".join(sentence.text for sentence in sentences)
    assert search(road.services, begun.user_id, script[:60]).found[0].video_id == begun.id
    assert [job[:2] for job in road.jobs(begun)] == [
        (Step.EXTRACT, "DONE"),
        (Step.TRANSCRIBE, "DONE"),
        (Step.EMBED, "DONE"),
        (Step.INDEX, "DONE"),
        (Step.CLEANUP, "READY"),
    ]


def test_every_step_is_an_event(road: Road, begun: Video) -> None:
    road.drain()
    events = road.events(begun)
    statuses = [status for status, _ in groupby(event.status for event in events)]
    assert statuses == [
        Status.UPLOADING,
        Status.PENDING,
        Status.EXTRACTING,
        Status.TRANSCRIBING,
        Status.EMBEDDING,
        Status.INDEXING,
        Status.COMPLETED,
    ]
    assert [event.progress for event in events] == sorted(event.progress for event in events)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert [event.detail for event in events if event.kind == "begun"] == [
        {"step": step, "attempt": 1} for step in ("extract", "transcribe", "embed", "index")
    ]


def test_a_doubled_or_late_message_does_nothing(road: Road, begun: Video) -> None:
    assert road.work(Queue.MEDIA)
    before = road.now(begun)
    assert not road.work(Queue.MEDIA)
    assert road.now(begun) == before


def test_a_message_ahead_of_its_time_does_nothing(road: Road, begun: Video) -> None:
    assert not road.work(Queue.INDEX)
    assert road.now(begun).status is Status.PENDING


def test_bytes_replaced_after_completion_are_noticed(road: Road, begun: Video) -> None:
    road.services.storage.write(begun.key, io.BytesIO(b"x" * begun.file_size), content_type="audio/wav")
    road.drain()
    failed = road.now(begun)
    assert failed.status is Status.FAILED
    assert failed.failure is not None
    assert (failed.failure.step, failed.failure.code) == (Step.EXTRACT, "OBJECT_CHANGED")


@pytest.fixture
def deaf(addresses: Mapping[str, str]) -> Road:
    """Its broker is away."""
    given = {**addresses, "BIBLIO_QUEUE": "redis://127.0.0.1:1/0"}
    return Road(build(read_settings({"BIBLIO_SPEECH": "scripted://"}, defaults=given)), addresses)


def test_a_job_that_the_broker_never_got_is_swept_up(road: Road, deaf: Road, user: str) -> None:
    video = complete_upload(deaf.services, user, road.sent(user).id)
    assert video.status is Status.PENDING
    time.sleep(1.1)  # a younger job is left to whoever is just announcing it
    assert sweep(road.services) >= 1
    with road.services.catalog.transaction() as tx:
        assert video.id not in [job.video_id for job in tx.outbox.due(quiet=(), limit=1000)]


def test_the_whole_road_without_a_broker(deaf: Road, road: Road, user: str) -> None:
    """Its messages only wake workers."""
    deaf.walk(complete_upload(deaf.services, user, road.sent(user).id))


def test_what_an_emptied_broker_lost_is_told_again(road: Road, begun: Video) -> None:
    with road.sql() as connection:
        connection.execute("UPDATE jobs SET told_at = now() - interval '6 s' WHERE video_id = %s", (begun.id,))
    with road.services.catalog.transaction() as tx:
        assert begun.id not in [job.video_id for job in tx.outbox.due(quiet=(), limit=1000)]
        lost = tx.outbox.due(quiet=[Queue.MEDIA], limit=1000)
    assert begun.id in [job.video_id for job in lost]
