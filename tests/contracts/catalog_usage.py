"""What the catalog promises about what was used: `biblio.ports.usage.UsageLog`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from biblio.domain.video import Video
from biblio.errors import InvalidInput
from biblio.ports.catalog import Catalog
from biblio.ports.usage import BYTES_STORED, SECONDS_TRANSCRIBED, TOKENS_EMBEDDED, Used, UsedByVideo
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once, new_user

HEARD = Used(SECONDS_TRANSCRIBED, 61.25, "whisper base")
DAY = timedelta(days=1)


def _used(catalog: Catalog, user: str, *, since: timedelta = DAY) -> list[UsedByVideo]:
    now = datetime.now(UTC)
    with catalog.transaction() as tx:
        return list(tx.usage.between(user, now - since, now + DAY))


class UsageContract(CatalogSuite):
    def test_an_amount_is_written_once_for_a_video_generation_unit_and_engine(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        def add(number: int) -> None:
            with catalog.transaction() as tx:
                tx.usage.add(video, replace(HEARD, amount=100.0 if number else 61.25))

        add(0)
        at_once(12, add)
        with catalog.transaction() as tx:
            tx.usage.add(video, Used(TOKENS_EMBEDDED, 12.0, "use"))
        assert _used(catalog, user) == [
            UsedByVideo(SECONDS_TRANSCRIBED, 61.25, "whisper base", video.id),
            UsedByVideo(TOKENS_EMBEDDED, 12.0, "use", video.id),
        ]

    def test_engines_that_shared_a_video_are_each_written_down(self, catalog: Catalog, user: str, video: Video) -> None:
        shares = [Used(SECONDS_TRANSCRIBED, 40.0, "google chirp_2"), Used(SECONDS_TRANSCRIBED, 21.25, "whisper base")]
        for _ in range(2):
            with catalog.transaction() as tx:
                for used in shares:
                    tx.usage.add(video, used)
        assert _used(catalog, user) == [UsedByVideo(**vars(used), video_id=video.id) for used in shares]
        with catalog.transaction() as tx:
            assert tx.usage.total(user, SECONDS_TRANSCRIBED, datetime.now(UTC) - DAY) == 61.25

    def test_of_amounts_written_at_once_one_stays(self, catalog: Catalog, user: str, video: Video) -> None:
        def add(number: int) -> None:
            with catalog.transaction() as tx:
                tx.usage.add(video, replace(HEARD, amount=float(number + 1)))

        at_once(12, add)
        (used,) = _used(catalog, user)
        assert used.amount in range(1, 13)

    def test_generations_and_their_engines_add_up(self, catalog: Catalog, user: str, video: Video) -> None:
        with catalog.transaction() as tx:
            for generation, engine in ((1, "whisper base"), (2, "google chirp_2"), (3, "whisper base")):
                tx.usage.add(replace(video, generation=generation), replace(HEARD, engine=engine))
        assert {(used.engine, used.amount) for used in _used(catalog, user)} == {
            ("whisper base", 122.5),
            ("google chirp_2", 61.25),
        }
        with catalog.transaction() as tx:
            assert tx.usage.total(user, SECONDS_TRANSCRIBED, datetime.now(UTC) - DAY) == 183.75

    def test_an_amount_is_undone_with_its_transaction(self, catalog: Catalog, user: str, video: Video) -> None:
        with pytest.raises(InvalidInput), catalog.transaction() as tx:
            tx.usage.add(video, HEARD)
            raise InvalidInput("second thoughts")
        assert _used(catalog, user) == []

    def test_usage_outlives_its_video(self, catalog: Catalog, user: str, video: Video) -> None:
        with catalog.transaction() as tx:
            tx.usage.add(video, HEARD)
            tx.videos.forget(video, {})
        assert _used(catalog, user) == [UsedByVideo(**vars(HEARD), video_id=video.id)]

    def test_a_user_sees_only_their_own_usage_of_the_asked_time_only(
        self, catalog: Catalog, user: str, video: Video
    ) -> None:
        other = new_user(catalog)
        before = datetime.now(UTC) - timedelta(seconds=1)
        with catalog.transaction() as tx:
            tx.usage.add(video, HEARD)
            tx.usage.add(add_video(catalog, other), Used(BYTES_STORED, 5.0, "storage"))
        after = datetime.now(UTC) + timedelta(seconds=1)
        with catalog.transaction() as tx:
            assert [used.video_id for used in tx.usage.between(user, before, after)] == [video.id]
            assert tx.usage.between(user, before - DAY, before) == []
            assert tx.usage.between(user, after, after + DAY) == []
            assert [used.unit for used in tx.usage.between(other, before, after)] == [BYTES_STORED]
            assert tx.usage.total(user, SECONDS_TRANSCRIBED, before) == 61.25
            assert tx.usage.total(user, SECONDS_TRANSCRIBED, after) == 0.0
            assert tx.usage.total(user, BYTES_STORED, before) == 0.0
