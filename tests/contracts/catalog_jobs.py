"""What the catalog promises about jobs, as a worker sees them: `biblio.ports.jobs.Jobs`."""

import threading
import time
from dataclasses import replace

import pytest

from biblio.domain.flow import Queue, Step
from biblio.domain.video import Video
from biblio.errors import InvalidInput, LeaseLost
from biblio.ports.catalog import Catalog
from biblio.ports.jobs import Claim
from tests.contracts.catalog_suite import (
    CatalogSuite,
    add_jobs,
    add_video,
    at_once,
    claim,
    claimed,
    request,
)

LEASE = 0.3
"""Seconds: short enough to see it end."""


def _assert_void(catalog: Catalog, late: Claim) -> None:
    """Neither renewed, nor saved, nor ended in any way; and the attempt leaves no trace in the video."""
    with catalog.transaction() as tx:
        before = tx.videos.get(late.video.id)
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.renew(late, seconds=30, progress=99)
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.renew(late, seconds=30, checkpoint={"by": "the late one"})
    for how in ({"result": {"by": "the late one"}}, {"result": None}):
        with pytest.raises(LeaseLost), catalog.transaction() as tx:
            tx.jobs.end(late, **how)
    with pytest.raises(LeaseLost), catalog.transaction() as tx:
        tx.jobs.end(late, result=None, retry_after=0, counted=False)
    with catalog.transaction() as tx:
        assert tx.videos.get(late.video.id) == before


class ClaimsContract(CatalogSuite):
    def test_a_requested_job_is_claimed_once(self, catalog: Catalog, video: Video) -> None:
        assert claim(catalog) is None
        request(catalog, video)
        request(catalog, video)
        claims = [each for each in at_once(16, lambda _: claim(catalog)) if each is not None]
        assert claims == [Claim(video, Step.EXTRACT, 1, {})]
        request(catalog, video)
        assert claim(catalog) is None

    @pytest.mark.parametrize(("workers", "jobs"), [(16, 8), (8, 16), (16, 16), (12, 1)])
    def test_no_worker_goes_away_with_nothing_while_a_job_waits(
        self, catalog: Catalog, user: str, others: list[str], workers: int, jobs: int
    ) -> None:
        users = [user, *others]
        waiting = {video.id for n in range(jobs) for video in add_jobs(catalog, users[n % 3], 1)}
        claims = [each for each in at_once(workers, lambda _: claim(catalog)) if each is not None]
        taken = [each.video.id for each in claims]
        assert len(taken) == min(workers, jobs)
        assert len(set(taken)) == len(taken)
        assert set(taken) <= waiting

    def test_a_claim_waits_for_the_only_job_while_its_video_is_locked(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        locked, found = threading.Event(), []

        def hold() -> None:
            with catalog.transaction() as tx:
                tx.videos.get(video.id, lock=True)
                locked.set()
                time.sleep(0.5)
                tx.videos.update(video.id, title="새 제목")

        holder = threading.Thread(target=hold)
        holder.start()
        locked.wait(10)
        found.append(claimed(catalog))
        holder.join()
        assert [(each.video.id, each.video.title) for each in found] == [(video.id, "새 제목")]

    def test_a_claim_passes_by_a_locked_video_where_another_job_waits(self, catalog: Catalog, user: str) -> None:
        first, second = (add_jobs(catalog, user, 1)[0] for _ in range(2))
        with catalog.transaction() as tx:
            tx.videos.get(first.id, lock=True)
            assert claimed(catalog).video.id == second.id

    def test_a_request_is_undone_with_its_transaction(self, catalog: Catalog, video: Video) -> None:
        with pytest.raises(InvalidInput), catalog.transaction() as tx:
            tx.jobs.request(video, Step.EXTRACT)
            raise InvalidInput("second thoughts")
        assert claim(catalog) is None

    def test_a_queue_gives_its_own_steps_only(self, catalog: Catalog, user: str) -> None:
        steps = {
            Queue.MEDIA: [Step.EXTRACT],
            Queue.AI: [Step.EMBED, Step.TRANSCRIBE],
            Queue.INDEX: [Step.INDEX, Step.CLEANUP, Step.DELETE],
        }
        for step in Step:
            add_jobs(catalog, user, 1, step)
        for queue, expected in steps.items():
            assert [claimed(catalog, queue).step for _ in expected] == expected, "what is begun is finished first"
            assert claim(catalog, queue) is None

    def test_a_running_job_is_not_claimed_again_before_its_lease_ends(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog, seconds=2.0)
        assert at_once(16, lambda _: claim(catalog)) == [None] * 16
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=LEASE, progress=5)
            tx.jobs.renew(mine, seconds=30, progress=5)
        time.sleep(LEASE + 0.1)
        assert claim(catalog) is None

    def test_a_job_whose_lease_ended_is_claimed_by_another(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        claimed(catalog, seconds=LEASE)
        time.sleep(LEASE + 0.1)
        claims = [each for each in at_once(16, lambda _: claim(catalog)) if each is not None]
        assert [(each.attempt, each.tries, each.deaths) for each in claims] == [(2, 2, 0)]

    def test_a_worker_that_lost_its_lease_can_neither_renew_nor_save_nor_finish_nor_give_back(
        self, catalog: Catalog, video: Video
    ) -> None:
        request(catalog, video)
        late = claimed(catalog, seconds=LEASE)
        time.sleep(LEASE + 0.1)
        owner = claimed(catalog, seconds=LEASE)
        _assert_void(catalog, late)
        time.sleep(LEASE + 0.1)
        last = claimed(catalog)
        assert (last.checkpoint, last.tries) == ({}, 3)
        _assert_void(catalog, owner)
        with catalog.transaction() as tx:
            tx.jobs.end(last, result={"by": "the owner"})
        _assert_void(catalog, late)
        request(catalog, video, Step.EMBED)
        assert claimed(catalog, Queue.AI).results == {Step.EXTRACT: {"by": "the owner"}}

    def test_a_lease_that_ended_and_that_nobody_took_may_still_be_renewed(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog, seconds=LEASE)
        time.sleep(LEASE + 0.1)
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=30, progress=1)
        assert claim(catalog) is None

    def test_renewing_shows_progress_which_never_falls(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog)
        shown = []
        for progress in (5, 3, 5, 8, 0):
            with catalog.transaction() as tx:
                tx.jobs.renew(mine, seconds=30, progress=progress)
                shown.append(tx.videos.get(video.id).progress)
        assert shown == [5, 5, 5, 8, 8]

    def test_a_forgotten_video_voids_its_claims(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog)
        with catalog.transaction() as tx:
            tx.videos.forget(video, {})
        with pytest.raises(LeaseLost), catalog.transaction() as tx:
            tx.jobs.end(mine, result={})


class EndsContract(CatalogSuite):
    def test_a_job_that_is_done_or_failed_for_good_is_over(self, catalog: Catalog, user: str) -> None:
        for result in ({"key": "videos/1/소리.mp3"}, {}, None):
            video = add_video(catalog, user)
            request(catalog, video)
            mine = claimed(catalog, seconds=LEASE)
            with catalog.transaction() as tx:
                tx.jobs.end(mine, result=result)
            time.sleep(LEASE)
            assert claim(catalog) is None
            _assert_void(catalog, mine)
            request(catalog, video, Step.EMBED)
            assert claimed(catalog, Queue.AI).results == ({} if result is None else {Step.EXTRACT: result})

    def test_a_job_given_back_is_due_after_its_delay(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog)
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result=None, retry_after=0.6)
        assert claim(catalog) is None
        _assert_void(catalog, mine)
        time.sleep(0.7)
        assert claimed(catalog) == replace(mine, attempt=2, tries=2)

    def test_a_wait_for_quota_is_not_counted_as_a_try(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        seen = []
        for counted in (False, True, False, False, True):
            mine = claimed(catalog)
            seen.append((mine.attempt, mine.tries))
            with catalog.transaction() as tx:
                tx.jobs.end(mine, result=None, retry_after=0, counted=counted)
        assert seen == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]

    def test_a_saved_checkpoint_is_there_for_the_next_attempt(self, catalog: Catalog, video: Video) -> None:
        """It starts tries and deaths anew: whoever comes further each time is no lost cause."""
        request(catalog, video)
        for saved in ({"until": 600.5, "조각": ["a", None]}, {"until": 1200.0}):
            mine = claimed(catalog, owner="mortal")
            with catalog.transaction() as tx:
                assert len(tx.jobs.bury("mortal")) == 1
            mine = claimed(catalog)
            assert (mine.tries, mine.deaths) >= (2, 1)
            with catalog.transaction() as tx:
                tx.jobs.renew(mine, seconds=30, checkpoint=saved)
                tx.jobs.renew(mine, seconds=30)
                tx.jobs.end(mine, result=None, retry_after=0)
            again = claimed(catalog)
            assert (again.checkpoint, again.tries, again.deaths) == (saved, 2, 0)
            with catalog.transaction() as tx:
                tx.jobs.end(again, result=None, retry_after=0)

    def test_a_checkpoint_that_is_no_headway_lets_tries_be_counted(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        for noted in ({"notes": {"a": "b"}}, {"notes": {"a": "c"}}):
            mine = claimed(catalog)
            with catalog.transaction() as tx:
                tx.jobs.renew(mine, seconds=30, checkpoint=noted, anew=False)
                tx.jobs.end(mine, result=None, retry_after=0)
        third = claimed(catalog)
        assert (third.checkpoint, third.tries) == ({"notes": {"a": "c"}}, 3)

    def test_the_job_of_a_dead_process_is_free_at_once_and_its_death_is_counted(
        self, catalog: Catalog, user: str
    ) -> None:
        held, theirs, done = (add_jobs(catalog, user, 1)[0] for _ in range(3))
        claims = {owner: claimed(catalog, owner=owner) for owner in ("dead", "alive")}
        ended = claimed(catalog, owner="dead")
        with catalog.transaction() as tx:
            tx.jobs.end(ended, result={})
            assert tx.jobs.bury("dead") == [held]
            assert tx.jobs.bury("dead") == []
        assert (claims["alive"].video.id, ended.video.id) == (theirs.id, done.id)
        _assert_void(catalog, claims["dead"])
        assert claimed(catalog) == replace(claims["dead"], attempt=2, tries=2, deaths=1)
        assert claim(catalog) is None
        with catalog.transaction() as tx:
            tx.jobs.renew(claims["alive"], seconds=30)

    def test_jobs_of_an_earlier_generation_are_void(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        running = claimed(catalog, owner="dead")
        request(catalog, video, Step.EMBED)
        with catalog.transaction() as tx:
            tx.videos.update(video.id, generation=2)
        _assert_void(catalog, running)
        assert claim(catalog, Queue.AI) is None
        with catalog.transaction() as tx:
            assert tx.jobs.bury("dead") == []
        request(catalog, replace(video, generation=2))
        mine = claimed(catalog)
        assert (mine.video.generation, mine.attempt, mine.results) == (2, 1, {})

    def test_results_of_another_generation_are_taken_over(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video)
        mine = claimed(catalog)
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result={"소리": "a.flac"})
            tx.videos.update(video.id, generation=2)
            again, results = replace(video, generation=2), tx.jobs.results(video, 1)
            assert results == {Step.EXTRACT: {"소리": "a.flac"}}
            assert tx.jobs.results(video, 2) == {}
            tx.jobs.request(again, Step.TRANSCRIBE, results=results)
            tx.jobs.request(again, Step.TRANSCRIBE, results={Step.EXTRACT: {"later": "changes nothing"}})
            assert tx.jobs.results(video, 2) == results
        assert claim(catalog) is None
        assert claimed(catalog, Queue.AI).results == results

    @pytest.mark.parametrize("step", [Step.CLEANUP, Step.DELETE])
    def test_an_upkeep_step_that_is_wished_for_again_is_done_again(
        self, catalog: Catalog, video: Video, step: Step
    ) -> None:
        request(catalog, video, step)
        request(catalog, video, step)
        first = claimed(catalog, Queue.INDEX)
        with catalog.transaction() as tx:
            tx.jobs.end(first, result=None, retry_after=3600)
        request(catalog, video, step)
        second = claimed(catalog, Queue.INDEX)
        assert (second.attempt, second.tries) == (2, 1)
        request(catalog, video, step)
        _assert_void(catalog, second)  # what called for it anew may have come after what it saw
        third = claimed(catalog, Queue.INDEX)
        assert claim(catalog, Queue.INDEX) is None
        with catalog.transaction() as tx:
            tx.jobs.end(third, result={})
        request(catalog, video, step)
        assert claimed(catalog, Queue.INDEX).attempt == 4
