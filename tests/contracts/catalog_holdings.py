"""What the catalog promises to whoever compares the stores: `biblio.ports.holdings.Holdings`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, claimed, ids_of, request


class HoldingsContract(CatalogSuite):
    def test_every_video_is_met_once_page_by_page(self, catalog: Catalog, user: str, others: list[str]) -> None:
        mine = [add_video(catalog, one, status=status) for one in (user, *others) for status in Status]
        met = list(_all_videos(catalog, limit=7))
        assert ids_of(met) == sorted(set(ids_of(met)))
        assert [video for video in met if video.user_id in {user, *others}] == sorted(mine, key=lambda one: one.id)

    def test_a_receipt_is_there_after_a_video_was_forgotten(self, catalog: Catalog, user: str, video: Video) -> None:
        removed = {"objects": {video.key: 5}, "uploads": {}, "vectors": {"1": 2}}
        with catalog.transaction() as tx:
            assert tx.holdings.receipt(video.id) is None
            assert tx.holdings.receipt(str(uuid4())) is None
            tx.jobs.request(video, Step.DELETE)
            rows = tx.videos.forget(video, removed)
            receipt = tx.holdings.receipt(video.id)
        assert receipt is not None
        assert (receipt.video_id, receipt.user_id) == (video.id, user)
        assert abs(datetime.now(UTC) - receipt.deleted_at) < timedelta(seconds=30)
        assert (rows["videos"], rows["jobs"], rows["video_events"]) == (1, 1, 1)
        assert receipt.removed == {**removed, "rows": rows}

    def test_the_keys_that_results_and_checkpoints_name_are_known(self, catalog: Catalog, video: Video) -> None:
        shown, current = video, replace(video, generation=3, indexed_generation=1)
        with catalog.transaction() as tx:
            tx.jobs.request(shown, Step.EMBED, results={Step.TRANSCRIBE: {"transcript": "1/t.json"}})
        self._go_to(catalog, replace(video, generation=2), Step.EMBED, {Step.TRANSCRIBE: {"transcript": "2/t.json"}})
        results: dict[Step, dict[str, Any]] = {
            Step.EXTRACT: {"audio": "a.mp3", "parts": [{"speech": "s.flac"}, 7, None]}
        }
        self._go_to(catalog, current, Step.TRANSCRIBE, results)
        mine = claimed(catalog, Queue.AI)
        with catalog.transaction() as tx:
            tx.jobs.renew(mine, seconds=30, checkpoint={"pieces": ["3/1/piece.json"], "until": 600.0})
        assert self._named(catalog, current) >= {"1/t.json", "a.mp3", "s.flac", "3/1/piece.json"}
        assert "2/t.json" not in self._named(catalog, current), "nobody reads it"
        with catalog.transaction() as tx:
            tx.jobs.end(mine, result={"transcript": "3/t.json"})
        named = self._named(catalog, current)
        assert "3/t.json" in named
        assert "3/1/piece.json" not in named, "what is done needs its checkpoint no longer"

    def test_steps_that_are_to_be_done_or_are_being_done_are_open(self, catalog: Catalog, video: Video) -> None:
        request(catalog, video, Step.EXTRACT)
        claimed(catalog)
        request(catalog, video, Step.CLEANUP)
        with catalog.transaction() as tx:
            assert tx.holdings.open_steps(video) == {Step.EXTRACT, Step.CLEANUP}
            tx.jobs.end(tx.jobs.claim(Queue.INDEX, "me", seconds=30) or claimed(catalog), result={})
            assert tx.holdings.open_steps(video) == {Step.EXTRACT}
            tx.videos.update(video.id, generation=2)
            assert tx.holdings.open_steps(replace(video, generation=2)) == set()

    def _go_to(self, catalog: Catalog, video: Video, step: Step, results: dict[Step, dict[str, Any]]) -> None:
        with catalog.transaction() as tx:
            tx.videos.update(video.id, generation=video.generation, indexed_generation=video.indexed_generation)
            tx.jobs.request(video, step, results=results)

    def _named(self, catalog: Catalog, video: Video) -> set[str]:
        with catalog.transaction() as tx:
            return tx.holdings.named_keys(video)


def _all_videos(catalog: Catalog, *, limit: int) -> Iterator[Video]:
    after = ""
    while True:
        with catalog.transaction() as tx:
            page = tx.holdings.videos(after=after, limit=limit)
        if not page:
            return
        yield from page
        after = page[-1].id
