"""What every catalog promises, view by view. An adapter's class supplies the fixtures

- `catalog`: prepared, on an engine that other tests may use too
- `absent`: a catalog whose engine is not there
- `cut`: ends every connection that the engine has, and that is not a test's own
- `stored`: gives all rows that the engine keeps, as text, bytes in hexadecimal
- `large`: lets it search what the running test wrote as it searches a large library
"""

import threading
import time

import pytest

from biblio.domain.flow import Queue, Status
from biblio.domain.video import Video
from biblio.errors import InvalidInput, NotFound, Unavailable
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_events import EventsContract, OutlookContract
from tests.contracts.catalog_finder import FinderContract
from tests.contracts.catalog_gauges import GaugesContract
from tests.contracts.catalog_holdings import HoldingsContract
from tests.contracts.catalog_jobs import ClaimsContract, EndsContract
from tests.contracts.catalog_library import LibraryContract
from tests.contracts.catalog_listening import ListeningContract
from tests.contracts.catalog_lists import ListsContract
from tests.contracts.catalog_outbox import OutboxContract
from tests.contracts.catalog_passages import PassagesContract
from tests.contracts.catalog_sessions import SessionsContract
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once, eventually, made_up, new_user
from tests.contracts.catalog_turns import TurnsContract
from tests.contracts.catalog_uploads import AnswersContract, UploadsContract
from tests.contracts.catalog_usage import UsageContract
from tests.contracts.catalog_users import UsersContract
from tests.contracts.catalog_videos import VideosContract
from tests.contracts.leadership import LeadershipContract


class TransactionContract(CatalogSuite):
    def test_what_a_transaction_wrote_is_there_after_it_ended_all_of_it(self, catalog: Catalog, user: str) -> None:
        one, other = made_up(user), made_up(user)
        with catalog.transaction() as tx:
            tx.videos.add(one)
            tx.videos.add(other)
            with catalog.transaction() as outside, pytest.raises(NotFound):
                outside.videos.get(one.id)
        with catalog.transaction() as tx:
            assert [tx.videos.get(one.id), tx.videos.get(other.id)] == [one, other]

    def test_a_transaction_that_raises_leaves_nothing_behind(self, catalog: Catalog, user: str, video: Video) -> None:
        new = made_up(user)
        with pytest.raises(InvalidInput, match="second thoughts"), catalog.transaction() as tx:
            tx.videos.add(new)
            tx.videos.update(video.id, status=Status.FAILED)
            raise InvalidInput("second thoughts")
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id).status is Status.PENDING
            with pytest.raises(NotFound):
                tx.videos.get(new.id)

    def test_what_a_snapshot_reads_is_of_one_moment(self, catalog: Catalog, video: Video) -> None:
        with catalog.transaction(snapshot=True) as tx:
            assert tx.videos.get(video.id) == video
            with catalog.transaction() as other:
                other.videos.update(video.id, title="another")
            assert tx.videos.get(video.id) == video
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id).title == "another"
            with catalog.transaction() as other:
                other.videos.update(video.id, title="a third one")
            assert tx.videos.get(video.id).title == "a third one", "the connection is as it was"

    def test_as_one_user_sees_it_nothing_of_any_other_user_is_there(
        self, catalog: Catalog, user: str, others: list[str], video: Video
    ) -> None:
        theirs = add_video(catalog, others[0])
        with catalog.of(user).transaction() as tx:
            assert tx.videos.get(video.id) == video
            with pytest.raises(NotFound):
                tx.videos.get(theirs.id)  # a query that forgot its user
            assert list(tx.videos.page(others[0], limit=10).videos) == []
            assert tx.events.last(others[0]) == 0
            tx.videos.update(theirs.id, title="mine now")
        with catalog.transaction() as tx:
            assert tx.videos.get(theirs.id) == theirs

    def test_a_catalog_that_is_down_is_unavailable(self, absent: Catalog) -> None:
        for call in (absent.prepare, absent.ping, lambda: new_user(absent)):
            began = time.monotonic()
            with pytest.raises(Unavailable):
                call()
            assert time.monotonic() - began < 10

    def test_preparing_may_be_repeated_and_by_many_at_once(self, catalog: Catalog, video: Video) -> None:
        at_once(8, lambda _: catalog.prepare())
        catalog.ping()
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id) == video

    def test_more_transactions_than_connections_wait_for_each_other(self, catalog: Catalog, user: str) -> None:
        assert len({video.id for video in at_once(48, lambda _: add_video(catalog, user))}) == 48

    def test_transactions_do_not_see_each_other_before_they_end(self, catalog: Catalog, video: Video) -> None:
        changed, may_end = threading.Event(), threading.Event()

        def change() -> None:
            with catalog.transaction() as tx:
                tx.videos.update(video.id, title="새 제목")
                changed.set()
                may_end.wait(10)

        other = threading.Thread(target=change)
        other.start()
        changed.wait(10)
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id).title == video.title
        may_end.set()
        other.join()
        with catalog.transaction() as tx:
            assert tx.videos.get(video.id).title == "새 제목"


class WorkersContract(CatalogSuite):
    def test_a_worker_seen_lately_lives_and_one_not_seen_for_long_does_not(self, catalog: Catalog) -> None:
        with catalog.transaction() as tx:
            tx.workers.seen("media@contract", Queue.MEDIA)
            assert Queue.MEDIA in tx.workers.living(seconds=30)
        assert eventually(3, lambda: Queue.MEDIA not in _living(catalog, 0.2))
        with catalog.transaction() as tx:
            tx.workers.seen("media@contract", Queue.MEDIA)
        assert Queue.MEDIA in _living(catalog, 0.2)

    def test_a_worker_that_changed_its_queue_lives_in_the_new_one_only(self, catalog: Catalog) -> None:
        with catalog.transaction() as tx:
            tx.workers.seen("moving@contract", Queue.AI)
        assert eventually(3, lambda: Queue.AI not in _living(catalog, 0.2))
        with catalog.transaction() as tx:
            tx.workers.seen("moving@contract", Queue.INDEX)
        assert _living(catalog, 0.2) == {Queue.INDEX}


def _living(catalog: Catalog, seconds: float) -> set[Queue]:
    with catalog.transaction() as tx:
        return tx.workers.living(seconds=seconds)


class CatalogContract(
    TransactionContract,
    UsersContract,
    SessionsContract,
    VideosContract,
    ListsContract,
    UploadsContract,
    AnswersContract,
    ClaimsContract,
    EndsContract,
    TurnsContract,
    OutboxContract,
    EventsContract,
    OutlookContract,
    UsageContract,
    HoldingsContract,
    PassagesContract,
    FinderContract,
    LibraryContract,
    WorkersContract,
    GaugesContract,
    ListeningContract,
    LeadershipContract,
):
    pass
