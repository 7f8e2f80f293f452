"""What the catalog promises about what the broker is told: `biblio.ports.outbox.Outbox`."""

import time
from collections.abc import Collection

from biblio.domain.flow import Queue, Step
from biblio.domain.video import Job, Options, Video, job_of
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, claimed, eventually, request

LEASE = 0.3
"""Seconds: short enough to see it end."""

UNTAKEN = 5.0
"""Seconds after which a job that was told of and that nobody took counts as lost by the broker."""


def _due(catalog: Catalog, video: Video, quiet: Collection[Queue] = ()) -> list[Job]:
    """Due jobs of this video; others' tests leave some too."""
    with catalog.transaction() as tx:
        return [job for job in tx.outbox.due(quiet=quiet, limit=10_000) if job.video_id == video.id]


def _told(catalog: Catalog, video: Video) -> None:
    with catalog.transaction() as tx:
        tx.outbox.told(_job(video))


def _job(video: Video) -> Job:
    return job_of(video, Step.EXTRACT)


class OutboxContract(CatalogSuite):
    def test_a_job_that_nobody_was_told_of_is_due(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        assert _due(catalog, video) == [], "whoever requested it is just telling"
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])
        _told(catalog, video)
        assert _due(catalog, video, list(Queue)) == []

    def test_a_job_whose_lease_ended_is_due(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        _told(catalog, video)
        mine = claimed(catalog)
        assert _due(catalog, video) == []
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=LEASE)
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])
        _told(catalog, video)
        assert _due(catalog, video, list(Queue)) == []
        assert claimed(catalog).attempt == 2
        assert _due(catalog, video, list(Queue)) == []

    def test_a_job_taken_before_it_was_told_of_is_due_when_its_lease_ends(self, catalog: Catalog, video: Video) -> None:
        """Its publisher died between the broker and the catalog, and then its worker died too."""
        request(catalog, video)
        claimed(catalog, seconds=LEASE)
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])

    def test_a_job_given_back_or_left_by_the_dead_is_due_again(self, catalog: Catalog, user: str) -> None:
        given, left = add_video(catalog, user), add_video(catalog, user)
        for video in (given, left):
            request(catalog, video)
            _told(catalog, video)
        time.sleep(1.1)
        back = claimed(catalog)
        claimed(catalog, owner="dead")
        with catalog.transaction() as tx:
            tx.jobs.end(back, result=None, retry_after=0.5)
            tx.jobs.bury("dead")
        assert (_due(catalog, given, list(Queue)), _due(catalog, left)) == ([], [_job(left)])
        assert eventually(3, lambda: _due(catalog, given) == [_job(given)])

    def test_a_job_that_the_broker_lost_is_due_again(self, catalog: Catalog, user: str) -> None:
        left, busy, untaken = (add_video(catalog, user) for _ in range(3))
        for video in (left, busy, untaken):
            request(catalog, video)
        assert claimed(catalog, seconds=LEASE).video == left
        assert claimed(catalog).video == busy
        time.sleep(LEASE + 0.1)
        for video in (left, busy, untaken):
            _told(catalog, video)
        time.sleep(UNTAKEN - 1)
        assert [_due(catalog, video, list(Queue)) for video in (left, busy, untaken)] == [[], [], []]
        time.sleep(1.2)
        for video in (left, untaken):
            assert _due(catalog, video) == []
            assert _due(catalog, video, [Queue.AI, Queue.INDEX]) == []
            assert _due(catalog, video, [Queue.MEDIA]) == [_job(video)]
        assert _due(catalog, busy, list(Queue)) == []

    def test_an_upkeep_step_that_is_wished_for_again_is_due_again(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video, Step.CLEANUP)
        with catalog.transaction() as tx:
            tx.outbox.told(job_of(video, Step.CLEANUP))
        time.sleep(1.1)
        assert _due(catalog, video) == []
        request(catalog, video, Step.CLEANUP)
        assert eventually(3, lambda: _due(catalog, video) == [job_of(video, Step.CLEANUP)])

    def test_jobs_of_an_earlier_generation_are_not_due(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        assert eventually(3, lambda: _due(catalog, video) == [_job(video)])
        with catalog.transaction() as tx:
            tx.videos.update(video.id, generation=2)
        assert _due(catalog, video, list(Queue)) == []

    def test_due_jobs_come_oldest_first_and_no_more_than_asked_for(self, catalog: Catalog, user: str) -> None:
        videos = [add_video(catalog, user) for _ in range(3)]
        for video in reversed(videos):
            request(catalog, video)
        assert eventually(3, lambda: all(_due(catalog, video) for video in videos))
        with catalog.transaction() as tx:
            due = tx.outbox.due(quiet=(), limit=10_000)
            assert len(tx.outbox.due(quiet=(), limit=2)) == 2
        mine = {video.id for video in videos}
        assert [job.video_id for job in due if job.video_id in mine] == [video.id for video in reversed(videos)]

    def test_a_due_job_says_what_a_message_needs(self, catalog: Catalog, user: str) -> None:
        video = add_video(catalog, user, options=Options(language="en"))
        request(catalog, video, Step.TRANSCRIBE)
        assert eventually(3, lambda: bool(_due(catalog, video)))
        assert _due(catalog, video) == [Job(Step.TRANSCRIBE, video.id, user, "", video.key, Options(language="en"))]
