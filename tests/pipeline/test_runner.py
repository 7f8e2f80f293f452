"""One step at a time, on real engines; only the ears are scripted."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from biblio.bootstrap import build, engines
from biblio.domain.flow import Status, Step
from biblio.domain.video import Video
from biblio.local.sample import TALK
from biblio.pipeline import runner
from biblio.pipeline.search import search
from biblio.pipeline.services import Services
from biblio.pipeline.sweep import sweep
from biblio.pipeline.trigger import complete_upload
from biblio.pipeline.upload import NewVideo, begin_upload
from biblio.ports.storage import SignedRequest
from biblio.settings import read_settings

ROAD = (Step.EXTRACT, Step.TRANSCRIBE, Step.EMBED, Step.INDEX)


@pytest.fixture(scope="module")
def services(addresses: Mapping[str, str]) -> Iterator[Services]:
    services = build(read_settings({"BIBLIO_SPEECH": "scripted://"}, defaults=addresses))
    for engine in engines(services).values():
        engine.prepare()
    yield services
    for engine in engines(services).values():
        engine.close()


@pytest.fixture(scope="module")
def user(services: Services) -> str:
    with services.catalog.transaction() as tx:
        return tx.users.add("runner")


def sent(services: Services, user: str) -> Video:
    """Its bytes are in storage, and nobody has said so."""
    content = TALK.read_bytes()
    with services.catalog.transaction() as tx:
        video, upload = begin_upload(services, tx, user, NewVideo("talk.mp4", len(content), "video/mp4"))
    assert isinstance(upload, SignedRequest)
    httpx.put(upload.url, content=content, headers=dict(upload.headers)).raise_for_status()
    return video


@pytest.fixture
def video(services: Services, user: str) -> Video:
    """Uploaded and set on its road."""
    return complete_upload(services, user, sent(services, user).id)


def now(services: Services, video: Video) -> Video:
    with services.catalog.transaction() as tx:
        return tx.videos.get(video.id)


def test_the_road_step_by_step(services: Services, video: Video, user: str) -> None:
    assert video.status is Status.PENDING
    following = (Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING, Status.COMPLETED)
    progress = 0
    for step, status in zip(ROAD, following, strict=True):
        runner.run(services, video.id, step)
        assert now(services, video).status is status
        assert now(services, video).progress > progress
        progress = now(services, video).progress
    assert progress == 100
    with services.catalog.transaction() as tx:
        script, _ = tx.videos.transcript(video.id)
    assert script
    assert search(services, user, script[:60])[0].video_id == video.id


def test_a_doubled_message_does_nothing(services: Services, video: Video) -> None:
    runner.run(services, video.id, Step.EXTRACT)
    before = now(services, video)
    runner.run(services, video.id, Step.EXTRACT)
    assert now(services, video) == before


def test_a_message_ahead_of_its_time_does_nothing(services: Services, video: Video) -> None:
    runner.run(services, video.id, Step.INDEX)
    assert now(services, video).status is Status.PENDING


def test_bytes_replaced_after_completion_are_noticed(services: Services, video: Video, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"x" * video.file_size)
    with other.open("rb") as file:
        services.storage.write(video.key, file, content_type="video/mp4")
    runner.run(services, video.id, Step.EXTRACT)
    failed = now(services, video)
    assert failed.status is Status.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "OBJECT_CHANGED"


def test_an_engine_that_is_down_is_tried_again_later(
    services: Services, video: Video, addresses: Mapping[str, str]
) -> None:
    dead = {**addresses, "BIBLIO_STORAGE": "s3://a:b@biblio-video-store?endpoint=http://127.0.0.1:1"}
    broken = build(read_settings({"BIBLIO_SPEECH": "scripted://"}, defaults=dead))
    runner.run(broken, video.id, Step.EXTRACT)
    assert now(services, video).status is Status.EXTRACTING
    runner.run(services, video.id, Step.EXTRACT)
    assert now(services, video).status is Status.EXTRACTING, "not due yet"


def test_a_step_that_kills_its_worker_every_time_fails_in_the_end(services: Services, video: Video) -> None:
    for _ in range(runner.MOST_ATTEMPTS):
        with services.catalog.transaction() as tx:
            assert tx.jobs.claim(video.id, Step.EXTRACT, seconds=-1) is not None  # claimed, and the lease is over
    runner.run(services, video.id, Step.EXTRACT)
    failed = now(services, video)
    assert failed.failure is not None
    assert failed.failure.code == "WORKER_DIED"


def test_a_job_that_the_broker_never_got_is_swept_up(
    services: Services, user: str, addresses: Mapping[str, str]
) -> None:
    deaf = build(
        read_settings({"BIBLIO_SPEECH": "scripted://"}, defaults={**addresses, "BIBLIO_QUEUE": "redis://127.0.0.1:1/0"})
    )
    begun = sent(deaf, user)
    assert complete_upload(deaf, user, begun.id).status is Status.PENDING
    time.sleep(1.1)  # a younger job is left to whoever is just announcing it
    assert sweep(services) >= 1
    with services.catalog.transaction() as tx:
        assert begun.id not in [job.video_id for job in tx.jobs.due(quiet=(), limit=1000)]
