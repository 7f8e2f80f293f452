"""What the catalog promises about the order of jobs, and about many who work at once."""

import random
import time
from collections import Counter

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.errors import LeaseLost
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import (
    CatalogSuite,
    add_jobs,
    at_once,
    claim,
    claimed,
    ids_of,
    made_up,
)


class TurnsContract(CatalogSuite):
    def test_users_take_turns_however_much_one_of_them_has_waiting(
        self, catalog: Catalog, user: str, others: list[str]
    ) -> None:
        add_jobs(catalog, user, 1_000)
        assert [claimed(catalog).video.user_id for _ in range(3)] == [user] * 3
        for number in range(3):
            add_jobs(catalog, others[0], 1)
            soon = [claimed(catalog).video.user_id for _ in range(2)]
            assert others[0] in soon, f"the small user's video {number} is next, or next but one"
        assert claimed(catalog).video.user_id == user

    def test_users_with_much_to_do_get_equal_shares(self, catalog: Catalog, user: str, others: list[str]) -> None:
        for one, count in zip((user, *others), (40, 5, 12), strict=True):
            add_jobs(catalog, one, count)
        first = Counter(claimed(catalog).video.user_id for _ in range(15))
        assert first == Counter({user: 5, others[0]: 5, others[1]: 5})
        then = Counter(claimed(catalog).video.user_id for _ in range(14))
        assert then == Counter({user: 7, others[1]: 7})

    def test_tries_after_a_pause_or_a_death_take_turns_too(
        self, catalog: Catalog, user: str, others: list[str]
    ) -> None:
        add_jobs(catalog, user, 3)
        for _ in range(3):
            mine = claimed(catalog, seconds=0.1)
            with catalog.transaction() as tx:
                tx.jobs.end(mine, result=None, retry_after=0)
        left = [claimed(catalog, seconds=0.1) for _ in range(2)]
        time.sleep(0.2)
        (other,) = add_jobs(catalog, others[0], 1)
        assert claimed(catalog).video.id == other.id
        assert {claimed(catalog).video.id for _ in range(3)} >= {each.video.id for each in left}
        assert claim(catalog) is None

    def test_of_one_users_jobs_the_furthest_comes_first_then_the_oldest(self, catalog: Catalog, user: str) -> None:
        heard, early, late = (add_jobs(catalog, user, 1, Step.TRANSCRIBE)[0] for _ in range(3))
        mine = claimed(catalog, Queue.AI)
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result={})
            tx.jobs.request(heard, Step.EMBED)
        order = [claimed(catalog, Queue.AI) for _ in range(3)]
        assert ids_of(each.video for each in order) == ids_of([heard, early, late])

    def test_workers_who_claim_at_once_keep_the_turns(self, catalog: Catalog, user: str, others: list[str]) -> None:
        add_jobs(catalog, user, 60)
        for other in others:
            add_jobs(catalog, other, 12)
        taken = [who for whos in at_once(6, lambda _: _work_off(catalog, 9)) for who in whos]
        shares = Counter(taken)
        assert [shares[other] for other in others] == [12, 12], "54 turns are enough for 12 of each"

    def test_many_workers_with_many_videos_never_wait_for_each_other_forever(
        self, catalog: Catalog, user: str, others: list[str]
    ) -> None:
        """Whatever else happens to the same videos and users meanwhile. A deadlock would be `Unavailable`."""
        users = [user, *others]
        for one in users:
            add_jobs(catalog, one, 6)
        at_once(12, lambda number: _keep_busy(catalog, users, random.Random(number)))
        with catalog.transaction() as tx:
            for one in users:
                events = tx.events.after(one, 0, limit=100_000)
                assert [event.id for event in events] == list(range(1, tx.events.last(one) + 1))


def _work_off(catalog: Catalog, count: int) -> list[str]:
    """The users whose turn it was."""
    return [claimed(catalog).video.user_id for _ in range(count)]


def _keep_busy(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    for act in luck.sample(ACTS * 5, len(ACTS) * 5):
        act(catalog, users, luck)


def _run_step(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    with catalog.transaction() as tx:
        mine = tx.jobs.claim(Queue.MEDIA, f"worker {luck.random()}", seconds=30)
        if mine is None:
            return
        tx.videos.update(mine.video.id, status=Status.EXTRACTING)
        tx.events.add(mine.video, "begun")
    try:
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=30, progress=luck.randrange(100), checkpoint={"at": 1})
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result={} if luck.random() < 0.5 else None, retry_after=0)
            tx.videos.update(mine.video.id, status=Status.PENDING)
            tx.jobs.request(mine.video, Step.CLEANUP)
    except LeaseLost:
        pass


def _die(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    owner = f"mortal {luck.random()}"
    for _ in range(3):
        with catalog.transaction() as tx:
            tx.jobs.claim(Queue.MEDIA, owner, seconds=30)
    with catalog.transaction() as tx:
        for video in tx.jobs.bury(owner):
            tx.events.add(video, "died")


def _cancel(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    video = _any_video(catalog, users, luck)
    with catalog.transaction() as tx:
        video = tx.videos.get(video.id, user_id=video.user_id, lock=True)
        tx.videos.update(video.id, status=Status.CANCELED, generation=video.generation + 1)
        video = tx.videos.get(video.id)
        tx.jobs.request(video, Step.CLEANUP, results=tx.jobs.results(video, video.generation - 1))
        tx.jobs.request(video, Step.EXTRACT)


def _wish_for_upkeep(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    """As `biblio check` does: without having locked the video."""
    video = _any_video(catalog, users, luck)
    with catalog.transaction() as tx:
        tx.jobs.request(video, Step.CLEANUP)


def _upload(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    with catalog.transaction() as tx:
        user = luck.choice(users)
        tx.users.usage(user)
        video = made_up(user)
        tx.videos.add(video)
        tx.jobs.request(video, Step.EXTRACT)


def _clean_up(catalog: Catalog, users: list[str], luck: random.Random) -> None:
    with catalog.transaction() as tx:
        mine = tx.jobs.claim(Queue.INDEX, "cleaner", seconds=30)
    if mine is not None:
        try:
            with catalog.transaction() as tx:
                tx.jobs.end(mine, result={})
        except LeaseLost:
            pass


def _any_video(catalog: Catalog, users: list[str], luck: random.Random) -> Video:
    with catalog.transaction() as tx:
        return luck.choice(tx.videos.page(luck.choice(users), limit=6).videos)


ACTS = (_run_step, _die, _cancel, _wish_for_upkeep, _upload, _clean_up)
