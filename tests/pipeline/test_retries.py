"""What is tried again, how often, and what the log says of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.errors import BiblioError, InvalidInput, RateLimited, Rejected, Unavailable
from biblio.pipeline import runner
from biblio.pipeline.lease import Worker
from biblio.pipeline.retries import LONGEST_PAUSE, MOST_DEATHS, MOST_TRIES
from biblio.ports.usage import SECONDS_TRANSCRIBED
from tests.pipeline.road import SECONDS, WORKER, Road


class Broken:
    """An engine that answers every call with an error."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: Any, **__: Any) -> Any:
            raise self._error

        return refuse


def with_audio(road: Road, error: BaseException) -> Road:
    broken: Any = Broken(error)
    return replace(road, services=replace(road.services, audio=broken))


def try_often(broken: Road, times: int) -> None:
    for _ in range(times):
        broken.make_due()
        assert broken.work(Queue.MEDIA)


def failure(road: Road, video: Video) -> tuple[Status, str | None]:
    now = road.now(video)
    return now.status, now.failure.code if now.failure else None


def test_an_engine_that_is_down_is_asked_again_later(road: Road, begun: Video) -> None:
    down = with_audio(road, Unavailable("It is away.", code="AWAY"))
    assert down.work(Queue.MEDIA)
    assert failure(road, begun) == (Status.EXTRACTING, None)
    assert not road.work(Queue.MEDIA), "not due yet"
    road.make_due()
    road.walk(begun)


def test_after_the_last_try_it_has_failed_and_the_log_tells_of_each(road: Road, begun: Video) -> None:
    down = with_audio(road, Unavailable("It is away.", code="AWAY"))
    try_often(down, MOST_TRIES - 1)
    assert failure(road, begun) == (Status.EXTRACTING, None)
    try_often(down, 1)
    assert failure(road, begun) == (Status.FAILED, "AWAY")
    retries = [event.detail for event in road.events(begun) if event.kind == "retry"]
    assert len(retries) == MOST_TRIES - 1
    assert {(one["step"], one["code"], one["message"]) for one in retries} == {("extract", "AWAY", "It is away.")}
    pauses = [one["seconds"] for one in retries]
    assert all(1 <= pause <= LONGEST_PAUSE * 1.5 for pause in pauses)
    assert pauses[0] <= 3.0
    assert pauses[-1] >= 150.0
    assert road.events(begun)[-1].failure == road.now(begun).failure


def test_more_than_may_be_transcribed_is_not_though_it_was_announced_before(road: Road, user: str) -> None:
    poor, (first, second) = road.limited(most_transcribed=30.0), (road.begun(user), road.begun(user))
    while poor.work(Queue.MEDIA) or poor.work(Queue.AI) or poor.work(Queue.INDEX):
        pass
    assert {failure(road, one) for one in (first, second)} == {
        (Status.COMPLETED, None),
        (Status.FAILED, "QUOTA_EXCEEDED"),
    }
    with road.services.catalog.transaction() as tx:
        assert tx.usage.total(user, SECONDS_TRANSCRIBED, datetime.now(UTC) - timedelta(days=1)) == SECONDS


def test_a_wait_for_quota_is_no_try(road: Road, begun: Video) -> None:
    busy = with_audio(road, RateLimited("Later.", retry_after=77.0))
    try_often(busy, MOST_TRIES + 3)
    assert failure(road, begun) == (Status.EXTRACTING, None)
    assert road.jobs(begun) == [(Step.EXTRACT, "READY", 0, 0)]
    waits = [event.detail for event in road.events(begun) if event.kind == "waiting"]
    assert [(one["code"], one["seconds"]) for one in waits] == [("RATE_LIMITED", 77.0)] * (MOST_TRIES + 3)
    road.make_due()
    road.walk(begun)


@pytest.mark.parametrize("error", [Rejected("No.", code="NO_AUDIO_TRACK"), InvalidInput("No.", code="NO_AUDIO_TRACK")])
def test_what_can_not_help_is_not_tried_again(road: Road, begun: Video, error: BiblioError) -> None:
    assert with_audio(road, error).work(Queue.MEDIA)
    assert failure(road, begun) == (Status.FAILED, "NO_AUDIO_TRACK")
    assert road.services.storage.stat(begun.key).etag == begun.etag, "the original stays"


def test_a_file_that_needs_more_memory_than_there_is_has_three_tries(road: Road, begun: Video) -> None:
    full = with_audio(road, Unavailable("It needs more.", code="OUT_OF_MEMORY"))
    try_often(full, 2)
    assert failure(road, begun) == (Status.EXTRACTING, None)
    try_often(full, 1)
    assert failure(road, begun) == (Status.FAILED, "OUT_OF_MEMORY")


class Died(BaseException):
    """The process is gone."""


def test_a_file_that_kills_its_worker_fails_in_the_end(road: Road, begun: Video) -> None:
    deadly = with_audio(road, Died())
    for death in range(MOST_DEATHS):
        worker = Worker(f"victim {death}")
        with pytest.raises(Died):
            deadly.work(Queue.MEDIA, worker)
        runner.bury(road.services, worker.name)
    assert road.jobs(begun) == [(Step.EXTRACT, "READY", MOST_DEATHS, MOST_DEATHS)]
    assert [event.kind for event in road.events(begun)].count("died") == MOST_DEATHS
    assert road.work(Queue.MEDIA)
    assert failure(road, begun) == (Status.FAILED, "WORKER_DIED")


def test_a_file_whose_workers_vanish_without_a_word_fails_in_the_end(road: Road, begun: Video) -> None:
    deadly = with_audio(road, Died())
    for _ in range(MOST_TRIES):
        road.make_due()
        with pytest.raises(Died):
            deadly.work(Queue.MEDIA)
    road.make_due()
    assert road.work(Queue.MEDIA)
    assert failure(road, begun) == (Status.FAILED, "WORKER_DIED")


def test_the_dead_are_buried_once_and_the_living_never(road: Road, begun: Video) -> None:
    with road.services.catalog.transaction() as tx:
        assert tx.jobs.claim(Queue.MEDIA, WORKER.name, seconds=60) is not None
    runner.bury(road.services, "somebody else")
    assert not road.work(Queue.MEDIA)
    for _ in range(2):
        runner.bury(road.services, WORKER.name)
    assert road.jobs(begun) == [(Step.EXTRACT, "READY", 1, 1)]


def test_a_catalog_that_is_away_when_a_step_ends_costs_a_lease(road: Road, begun: Video) -> None:
    class Leaving:
        """Answers until the work is done."""

        def __init__(self) -> None:
            self.left = 1

        def __getattr__(self, name: str) -> Any:
            return getattr(road.services.catalog, name)

        def transaction(self) -> Any:
            if self.left == 0:
                raise Unavailable("The catalog is away.")
            self.left -= 1
            return road.services.catalog.transaction()

    leaving: Any = Leaving()
    assert runner.work(replace(road.services, catalog=leaving), Queue.MEDIA, WORKER)
    assert [job[:2] for job in road.jobs(begun)] == [(Step.EXTRACT, "RUNNING")]
    road.make_due()
    road.walk(begun)
