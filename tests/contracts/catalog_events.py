"""What the catalog promises about the event log and about what lies ahead: `biblio.ports.events.Events`."""

import random
import threading
import time
from dataclasses import replace

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Failure, Video
from biblio.errors import InvalidInput
from biblio.ports.catalog import Catalog
from biblio.ports.events import Event, Outlook
from tests.contracts.catalog_suite import (
    CatalogSuite,
    add_jobs,
    add_video,
    at_once,
    claim,
    claimed,
    made_up,
    new_user,
    request,
)


def _events(catalog: Catalog, user: str, after: int = 0, video: Video | None = None) -> list[Event]:
    with catalog.transaction() as tx:
        return list(tx.events.after(user, after, limit=10_000, video_id=video.id if video else None))


def _outlook(catalog: Catalog, video: Video) -> Outlook:
    with catalog.transaction() as tx:
        return tx.events.outlook(tx.videos.get(video.id))


class EventsContract(CatalogSuite):
    def test_every_change_of_a_status_step_progress_or_failure_is_an_event(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        failure = Failure(Step.EXTRACT, "NO_SOUND", "소리가 없습니다.")
        with catalog.transaction() as tx:
            tx.videos.update(video.id, status=Status.EXTRACTING, step=Step.EXTRACT)
            tx.jobs.request(video, Step.EXTRACT)
        mine = claimed(catalog)
        for progress in (7, 7, 3):
            with catalog.transaction() as tx:
                tx.jobs.renew(mine, seconds=30, progress=progress)
        with catalog.transaction() as tx:
            tx.videos.update(video.id, status=Status.FAILED, failure=failure)
            tx.videos.update(video.id, when=Status.PENDING, status=Status.EXPIRED)
        seen = [(e.kind, e.status, e.step, e.progress, e.failure) for e in _events(catalog, user)]
        assert seen == [
            ("status", Status.PENDING, None, 0, None),
            ("status", Status.EXTRACTING, Step.EXTRACT, 0, None),
            ("status", Status.EXTRACTING, Step.EXTRACT, 7, None),
            ("status", Status.FAILED, Step.EXTRACT, 7, failure),
        ]

    def test_a_new_title_and_what_happens_to_attempts_are_events_of_their_own_kinds(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        with catalog.transaction() as tx:
            tx.videos.update(video.id, title="새 제목")
            tx.videos.update(video.id, etag='"1"', acknowledged=True, generation=2)
            tx.events.add(video, "retry", step=Step.EMBED, seconds=2.5, 이유=["느림", None])
        first, title, retry = _events(catalog, user)
        assert [each.kind for each in (first, title, retry)] == ["status", "title", "retry"]
        assert (first.detail, title.detail) == ({}, {})
        assert retry.detail == {"step": "embed", "seconds": 2.5, "이유": ["느림", None]}
        assert (retry.id, retry.user_id, retry.video_id, retry.status) == (3, user, video.id, Status.PENDING)
        assert first.at <= title.at <= retry.at

    def test_a_users_events_are_numbered_without_a_gap_in_the_order_in_which_they_became_visible(
        self, catalog: Catalog, user: str
    ) -> None:
        videos = [add_video(catalog, user) for _ in range(4)]
        over, seen = threading.Event(), list[int]()

        def read() -> None:
            while not over.is_set() or len(seen) < _last(catalog, user):
                seen.extend(event.id for event in _events(catalog, user, after=seen[-1] if seen else 0))

        reader = threading.Thread(target=read)
        reader.start()
        written = sum(at_once(8, lambda number: _write(catalog, videos, random.Random(number))))
        over.set()
        reader.join(60)
        assert written > 100
        assert seen == list(range(1, len(videos) + written + 1))

    def test_a_user_never_sees_another_users_events(self, catalog: Catalog, user: str, video: Video) -> None:
        other = new_user(catalog)
        theirs = add_video(catalog, other)
        assert [(event.id, event.video_id) for event in _events(catalog, other)] == [(1, theirs.id)]
        assert [(event.id, event.video_id) for event in _events(catalog, user)] == [(1, video.id)]
        assert _events(catalog, other, video=video) == []
        assert _events(catalog, "nobody") == []

    def test_a_transaction_that_raises_leaves_no_event(self, catalog: Catalog, user: str, video: Video) -> None:
        with pytest.raises(InvalidInput), catalog.transaction() as tx:
            tx.videos.update(video.id, progress=50)
            tx.videos.add(made_up(user))
            assert tx.events.last(user) == 3
            raise InvalidInput("second thoughts")
        assert (_last(catalog, user), len(_events(catalog, user))) == (1, 1)
        with catalog.transaction() as tx:
            tx.videos.update(video.id, progress=60)
        assert [(event.id, event.progress) for event in _events(catalog, user)] == [(1, 0), (2, 60)]

    def test_the_events_of_a_forgotten_video_are_gone_but_for_its_deletion(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        kept = add_video(catalog, user)
        with catalog.transaction() as tx:
            tx.videos.update(video.id, progress=50)
            tx.videos.update(video.id, status=Status.DELETING, generation=2)
        with catalog.transaction() as tx:
            tx.videos.forget(video, {})
            tx.events.add(video, "late")
        left = [(event.id, event.video_id, event.status) for event in _events(catalog, user)]
        assert left == [(2, kept.id, Status.PENDING), (4, video.id, Status.DELETING)]
        assert _last(catalog, user) == 4

    def test_events_are_read_from_any_of_them_on_for_one_video_too(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        other = add_video(catalog, user)
        for progress in range(10, 60, 10):
            for one in (video, other):
                with catalog.transaction() as tx:
                    tx.videos.update(one.id, progress=progress)
        with catalog.transaction() as tx:
            assert [event.id for event in tx.events.after(user, 3, limit=4)] == [4, 5, 6, 7]
            assert [event.id for event in tx.events.after(user, 3, limit=3, video_id=video.id)] == [5, 7, 9]
            assert tx.events.after(user, 12, limit=3) == []
            assert (tx.events.last(user), tx.events.last("nobody")) == (12, 0)


class OutlookContract(CatalogSuite):
    def test_the_seconds_left_follow_the_pace_of_the_work_so_far(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog)
        assert _outlook(catalog, video) == Outlook(None, None), "nothing can be told yet"
        time.sleep(0.5)
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=30, progress=20)
        left = _outlook(catalog, video).seconds_left
        assert left == pytest.approx(0.5 * 80 / 20, abs=1.5)
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=30, progress=60)
            tx.jobs.end(mine, result=None, retry_after=1.0)
        paused = _outlook(catalog, video)
        time.sleep(1.1)
        assert _outlook(catalog, video) == replace(paused, queue_position=1), "waiting is no work"
        mine = claimed(catalog)
        again = _outlook(catalog, video).seconds_left
        assert again is not None
        assert paused.seconds_left == pytest.approx(again, abs=0.5), "what earlier attempts took counts"
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result={})
            tx.videos.update(video.id, status=Status.COMPLETED, progress=100)
        assert _outlook(catalog, video) == Outlook()

    def test_steps_that_were_taken_over_tell_nothing_about_the_pace(self, catalog: Catalog, video: Video) -> None:
        with catalog.transaction() as tx:
            tx.videos.update(video.id, generation=2, progress=85)
            again = replace(video, generation=2)
            tx.jobs.request(again, Step.EMBED, results={Step.EXTRACT: {}, Step.TRANSCRIBE: {}})
        mine = claimed(catalog, Queue.AI)
        assert _outlook(catalog, video).seconds_left is None
        time.sleep(0.5)
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=30, progress=90)
        assert _outlook(catalog, video).seconds_left == pytest.approx(0.5 * 10 / 5, abs=1.0)

    def test_the_queue_position_counts_the_turns_until_a_worker_takes_it(
        self, catalog: Catalog, user: str, others: list[str]
    ) -> None:
        counts = zip((user, *others), (5, 2, 1), strict=True)
        waiting = [video for one, count in counts for video in _one_by_one(catalog, one, count)]
        finished = add_video(catalog, user, status=Status.COMPLETED)
        request(catalog, finished, Step.CLEANUP)
        for turns_left in range(len(waiting), 0, -1):
            positions = {video.id: _outlook(catalog, video).queue_position for video in waiting}
            assert sorted(position or 0 for position in positions.values()) == list(range(1, turns_left + 1))
            mine = claimed(catalog)
            assert positions[mine.video.id] == 1
            waiting = [video for video in waiting if video.id != mine.video.id]
            assert _outlook(catalog, mine.video).queue_position is None
        assert claim(catalog) is None
        assert _outlook(catalog, finished) == Outlook()

    def test_who_waits_for_quota_is_told_so_until_it_goes_on_or_is_begun_again(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        for kind, waits_for in (
            ("begun", None),
            ("waiting", "quota"),
            ("resumed", None),
            ("waiting", "quota"),
            ("begun", None),
            ("retry", None),
            ("waiting", "quota"),
        ):
            with catalog.transaction() as tx:
                tx.events.add(video, kind, step=Step.TRANSCRIBE)
            assert _outlook(catalog, video).waits_for == waits_for
        with catalog.transaction() as tx:
            tx.videos.update(video.id, status=Status.TRANSCRIBING, progress=42, title="제목")
        assert _outlook(catalog, video).waits_for == "quota", "that it got on says nothing about it"
        with catalog.transaction() as tx:
            tx.videos.update(video.id, status=Status.CANCELED)
        assert _outlook(catalog, video).waits_for is None
        with catalog.transaction() as tx:
            tx.videos.update(video.id, status=Status.PENDING, generation=video.generation + 1)
        assert _outlook(catalog, video).waits_for is None, "that was another run"

    def test_who_pauses_has_no_queue_position_and_whose_worker_died_has_one(self, catalog: Catalog, user: str) -> None:
        paused, left = _one_by_one(catalog, user, 2)
        mine = claimed(catalog)
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result=None, retry_after=60)
        claimed(catalog, seconds=0.1)
        time.sleep(0.2)
        assert (_outlook(catalog, paused).queue_position, _outlook(catalog, left).queue_position) == (None, 1)


def _one_by_one(catalog: Catalog, user: str, count: int) -> list[Video]:
    return [add_jobs(catalog, user, 1)[0] for _ in range(count)]


def _last(catalog: Catalog, user: str) -> int:
    with catalog.transaction() as tx:
        return tx.events.last(user)


def _write(catalog: Catalog, videos: list[Video], luck: random.Random) -> int:
    """How many events were committed, at random moments."""
    written = 0
    for _ in range(25):
        chosen = luck.sample(sorted(videos, key=lambda video: video.id), luck.randint(1, 2))
        try:
            with catalog.transaction() as tx:
                for video in sorted(chosen, key=lambda video: video.id):
                    tx.videos.get(video.id, lock=True)
                for video in chosen:
                    tx.videos.update(video.id, progress=luck.randrange(100))
                    time.sleep(luck.random() * 0.005)
                if luck.random() < 0.25:
                    raise InvalidInput("second thoughts")
            written += len(chosen)
        except InvalidInput:
            pass
    return written
