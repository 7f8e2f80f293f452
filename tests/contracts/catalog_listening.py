"""What the catalog promises to whoever listens: `biblio.ports.catalog.Catalog.listen`."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from biblio.domain.video import Video
from biblio.errors import InvalidInput, Unavailable
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once


def _hear(heard: Iterator[str | None], user: str, seconds: float) -> list[str]:
    """What is heard of a user until it is quiet, or for so long."""
    until, said = time.monotonic() + seconds, list[str]()
    for each in heard:
        if each == user:
            said.append(each)
        if each is None or time.monotonic() > until:
            return said
    raise AssertionError("who listens is told of quiet, and never that all is over")


class ListeningContract(CatalogSuite):
    """Needs the fixture `cut`, which ends every connection that the engine has."""

    def test_whoever_listens_hears_of_every_event_after_its_transaction_ended(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        with catalog.listen(seconds=0.4) as heard:
            assert _hear(heard, user, 5) == []
            with catalog.transaction() as tx:
                tx.videos.update(video.id, progress=10)
                assert _hear(heard, user, 5) == [], "it may yet be undone"
            assert next(heard) == user
            with catalog.transaction() as tx:
                assert tx.events.last(user) == 2, "and there it is"
            at_once(8, lambda number: add_video(catalog, user))
            assert _hear(heard, user, 5) == [user] * 8

    def test_what_is_undone_is_never_heard_of(self, catalog: Catalog, user: str, video: Video) -> None:
        with catalog.listen(seconds=0.3) as heard:
            with pytest.raises(InvalidInput), catalog.transaction() as tx:
                tx.videos.update(video.id, progress=10)
                raise InvalidInput("second thoughts")
            assert _hear(heard, user, 5) == []

    def test_nothing_is_missed_between_two_looks(self, catalog: Catalog, user: str, video: Video) -> None:
        with catalog.listen(seconds=0.3) as heard:
            for progress in range(3):
                with catalog.transaction() as tx:
                    tx.videos.update(video.id, progress=progress)
                time.sleep(0.1)
                assert next(heard) == user

    def test_many_listen_to_all_users_at_once(self, catalog: Catalog, user: str, others: list[str]) -> None:
        ready = threading.Barrier(7)

        def listen(_: int) -> set[str | None]:
            with catalog.listen(seconds=1.0) as heard:
                ready.wait(10)
                return {next(heard) for _ in range(3)}

        def tell(_: int) -> set[str | None]:
            ready.wait(10)
            for one in (user, *others):
                add_video(catalog, one)
            return {user, *others}

        told = at_once(7, lambda number: listen(number) if number else tell(number))
        assert all(each == {user, *others} for each in told)

    def test_a_quiet_engine_that_goes_away_is_unavailable(
        self, catalog: Catalog, absent: Catalog, cut: Callable[[], None]
    ) -> None:
        with pytest.raises(Unavailable), catalog.listen(seconds=0.3) as heard:
            assert next(heard) is None
            cut()
            began = time.monotonic()
            for _ in heard:
                assert time.monotonic() - began < 5
        with pytest.raises(Unavailable), absent.listen(seconds=0.3):
            pass
