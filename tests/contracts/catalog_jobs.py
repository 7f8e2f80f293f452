"""What the catalog promises about jobs: `biblio.ports.jobs.Jobs`."""

import time
from collections.abc import Collection
from dataclasses import replace
from uuid import uuid4

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Job, Options, Video
from biblio.errors import InvalidInput, LeaseLost
from biblio.ports.catalog import Catalog
from biblio.ports.jobs import Claim
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once, eventually

EXTRACT, EMBED = Step.EXTRACT, Step.EMBED
LEASE = 0.3
"""Seconds: short enough to see it end."""

UNTAKEN = 5.0
"""Seconds after which a job that was told of and that nobody took counts as lost by the broker."""


def _request(catalog: Catalog, video: Video, step: Step = EXTRACT) -> None:
    with catalog.transaction() as tx:
        tx.jobs.request(video, step)


def _claim(catalog: Catalog, video: Video, seconds: float = 30.0, step: Step = EXTRACT) -> Claim | None:
    with catalog.transaction() as tx:
        return tx.jobs.claim(video.id, step, seconds=seconds)


def _claimed(catalog: Catalog, video: Video, seconds: float = 30.0, step: Step = EXTRACT) -> Claim:
    claim = _claim(catalog, video, seconds, step)
    assert claim is not None
    return claim


def _end(catalog: Catalog, claim: Claim, **how: float | None) -> None:
    with catalog.transaction() as tx:
        tx.jobs.end(claim, result=None, retry_after=how.get("retry_after"))


def _due(catalog: Catalog, video: Video, quiet: Collection[Queue] = ()) -> list[Job]:
    """Due jobs of this video; others' tests leave some too."""
    with catalog.transaction() as tx:
        return [job for job in tx.jobs.due(quiet=quiet, limit=10_000) if job.video_id == video.id]


def _told(catalog: Catalog, job: Job) -> None:
    with catalog.transaction() as tx:
        tx.jobs.told(job)


def _assert_void(catalog: Catalog, claim: Claim) -> None:
    """Neither renewed, nor ended in any way; and the attempt leaves no trace in the video."""
    with catalog.transaction() as tx:
        before = tx.videos.get(claim.video.id)
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.renew(claim, seconds=30, progress=99)
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.end(claim, result={"by": "the late one"})
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.end(claim, result=None, retry_after=1)
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.end(claim, result=None)
    with catalog.transaction() as tx:
        assert tx.videos.get(claim.video.id) == before


class JobsContract(CatalogSuite):
    def test_a_requested_job_is_claimed_once(self, catalog: Catalog, video: Video) -> None:
        assert _claim(catalog, video) is None
        _request(catalog, video)
        _request(catalog, video)
        claims = [claim for claim in at_once(16, lambda _: _claim(catalog, video)) if claim is not None]
        assert claims == [Claim(video, EXTRACT, 1, {})]
        _request(catalog, video)
        assert _claim(catalog, video) is None
        with catalog.transaction() as tx:
            assert tx.jobs.claim(str(uuid4()), EXTRACT, seconds=1) is None

    def test_a_request_is_undone_with_its_transaction(self, catalog: Catalog, video: Video) -> None:
        with pytest.raises(InvalidInput), catalog.transaction() as tx:
            tx.jobs.request(video, EXTRACT)
            raise InvalidInput("second thoughts")
        assert _claim(catalog, video) is None

    def test_a_running_job_is_not_claimed_again_before_its_lease_ends(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        claim = _claimed(catalog, video, 2.0)
        assert at_once(16, lambda _: _claim(catalog, video)) == [None] * 16
        assert _due(catalog, video, list(Queue)) == []
        with catalog.transaction() as tx:
            tx.jobs.renew(claim, seconds=LEASE, progress=5)
            tx.jobs.renew(claim, seconds=30, progress=5)
        time.sleep(LEASE + 0.1)
        assert _claim(catalog, video) is None
        assert _due(catalog, video, list(Queue)) == []

    def test_a_job_whose_lease_ended_is_claimed_by_another(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        _claimed(catalog, video, LEASE)
        time.sleep(LEASE + 0.1)
        claims = [claim for claim in at_once(16, lambda _: _claim(catalog, video)) if claim is not None]
        assert [claim.attempt for claim in claims] == [2]

    def test_a_worker_that_lost_its_lease_can_neither_renew_nor_finish_nor_give_back(
        self, catalog: Catalog, video: Video
    ) -> None:
        _request(catalog, video)
        late = _claimed(catalog, video, LEASE)
        time.sleep(LEASE + 0.1)
        owner = _claimed(catalog, video)
        _assert_void(catalog, late)
        with catalog.transaction() as tx:
            tx.jobs.end(owner, result={"by": "the owner"})
        _assert_void(catalog, late)
        _request(catalog, video, EMBED)
        assert _claimed(catalog, video, step=EMBED).results == {EXTRACT: {"by": "the owner"}}

    def test_a_lease_that_ended_and_that_nobody_took_may_still_be_renewed(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        claim = _claimed(catalog, video, LEASE)
        time.sleep(LEASE + 0.1)
        with catalog.transaction() as tx:
            tx.jobs.renew(claim, seconds=30, progress=1)
        assert _claim(catalog, video) is None

    def test_renewing_shows_progress_which_never_falls(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        claim = _claimed(catalog, video)
        shown = []
        for progress in (5, 3, 5, 8):
            with catalog.transaction() as tx:
                tx.jobs.renew(claim, seconds=30, progress=progress)
                shown.append(tx.videos.get(video.id).progress)
        assert shown == [5, 5, 5, 8]

    def test_a_job_that_is_done_or_failed_for_good_is_over(self, catalog: Catalog, user: str) -> None:
        for result in ({"key": "videos/1/소리.mp3"}, {}, None):
            video = add_video(catalog, user)
            _request(catalog, video)
            claim = _claimed(catalog, video, LEASE)
            with catalog.transaction() as tx:
                tx.jobs.end(claim, result=result)
            time.sleep(LEASE)
            assert _claim(catalog, video) is None
            assert _due(catalog, video, list(Queue)) == []
            _assert_void(catalog, claim)
            _request(catalog, video, EMBED)
            assert _claimed(catalog, video, step=EMBED).results == ({} if result is None else {EXTRACT: result})

    def test_a_job_given_back_is_due_after_its_delay(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        claim = _claimed(catalog, video)
        _told(catalog, _job(video))
        _end(catalog, claim, retry_after=0.6)
        assert _claim(catalog, video) is None
        assert _due(catalog, video, list(Queue)) == []
        _assert_void(catalog, claim)
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])
        assert _claimed(catalog, video).attempt == 2

    def test_a_job_no_worker_was_told_of_is_due_until_one_is(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        assert _due(catalog, video) == [], "whoever requested it is just telling"
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])
        _told(catalog, _job(video))
        assert _due(catalog, video, list(Queue)) == []

    def test_a_job_whose_lease_ended_is_due_until_a_worker_is_told(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        _told(catalog, _job(video))
        _claimed(catalog, video, LEASE)
        assert _due(catalog, video) == []
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])
        _told(catalog, _job(video))
        assert _due(catalog, video, list(Queue)) == []
        assert _claimed(catalog, video).attempt == 2

    def test_a_job_taken_before_it_was_told_of_is_due_when_its_lease_ends(self, catalog: Catalog, video: Video) -> None:
        """Its publisher died between the broker and the catalog, and then its worker died too."""
        _request(catalog, video)
        _claimed(catalog, video, LEASE)
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])

    def test_a_job_that_the_broker_lost_is_due_again(self, catalog: Catalog, user: str) -> None:
        untaken, left, busy = (add_video(catalog, user) for _ in range(3))
        for video in (untaken, left, busy):
            _request(catalog, video)
        _claimed(catalog, left, LEASE)
        _claimed(catalog, busy)
        time.sleep(LEASE + 0.1)
        for video in (untaken, left, busy):
            _told(catalog, _job(video))
        time.sleep(UNTAKEN - 1)
        assert [_due(catalog, video, list(Queue)) for video in (untaken, left, busy)] == [[], [], []]
        time.sleep(1.2)
        for video in (untaken, left):
            assert _due(catalog, video) == []
            assert _due(catalog, video, [Queue.AI, Queue.INDEX]) == []
            assert _due(catalog, video, [Queue.MEDIA]) == [_job(video)]
        assert _due(catalog, busy, list(Queue)) == []

    def test_due_jobs_come_oldest_first_and_no_more_than_asked_for(self, catalog: Catalog, user: str) -> None:
        videos = [add_video(catalog, user) for _ in range(3)]
        for video in reversed(videos):
            _request(catalog, video)
        assert eventually(3, lambda: all(_due(catalog, video) for video in videos))
        with catalog.transaction() as tx:
            due = tx.jobs.due(quiet=(), limit=10_000)
            assert len(tx.jobs.due(quiet=(), limit=2)) == 2
        mine = {video.id for video in videos}
        assert [job.video_id for job in due if job.video_id in mine] == [video.id for video in reversed(videos)]

    def test_a_due_job_says_what_a_message_needs(self, catalog: Catalog, user: str) -> None:
        video = add_video(catalog, user, options=Options(language="en"))
        _request(catalog, video, Step.TRANSCRIBE)
        assert eventually(3, lambda: bool(_due(catalog, video)))
        assert _due(catalog, video) == [Job(Step.TRANSCRIBE, video.id, user, "", video.key, Options(language="en"))]

    def test_jobs_of_an_earlier_generation_are_void(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        running = _claimed(catalog, video)
        _request(catalog, video, EMBED)
        with catalog.transaction() as tx:
            tx.videos.update(video.id, generation=2)
        _assert_void(catalog, running)
        assert _claim(catalog, video, step=EMBED) is None
        assert _due(catalog, video, list(Queue)) == []
        again = replace(video, generation=2)
        _request(catalog, again)
        claim = _claimed(catalog, video)
        assert (claim.video.generation, claim.attempt, claim.results) == (2, 1, {})

    def test_a_forgotten_video_voids_its_claims(self, catalog: Catalog, video: Video) -> None:
        _request(catalog, video)
        claim = _claimed(catalog, video)
        with catalog.transaction() as tx:
            tx.videos.forget(video, {})
        with pytest.raises(LeaseLost), catalog.transaction() as tx:
            tx.jobs.end(claim, result={})

    def test_many_workers_with_many_videos_never_wait_for_each_other_forever(self, catalog: Catalog, user: str) -> None:
        videos = [add_video(catalog, user) for _ in range(4)]
        for video in videos:
            _request(catalog, video)

        def work(number: int) -> int:
            done = 0
            for video in videos[number % 4 :] + videos[: number % 4]:
                with catalog.transaction() as tx:
                    claim = tx.jobs.claim(video.id, EXTRACT, seconds=30)
                    if claim is not None:
                        tx.videos.update(video.id, status=Status.EXTRACTING)
                if claim is not None:
                    with catalog.transaction() as tx:
                        tx.jobs.renew(claim, seconds=30, progress=5)
                        tx.jobs.end(claim, result={})
                        tx.jobs.request(claim.video, Step.TRANSCRIBE)
                    done += 1
            return done

        assert sum(at_once(12, work)) == 4


def _job(video: Video) -> Job:
    return Job(EXTRACT, video.id, video.user_id, "", video.key, video.options)
