"""What the catalog promises about its numbers: `biblio.ports.gauges.Gauging`."""

from uuid import uuid4

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.ports.catalog import Catalog
from biblio.ports.gauges import Gauges
from biblio.ports.leadership import SWEEP
from tests.contracts.catalog_suite import CatalogSuite, add_video, eventually


def _read(catalog: Catalog) -> Gauges:
    with catalog.transaction() as tx:
        return tx.gauges.read(seconds=30)


def _is_led(catalog: Catalog, name: str) -> bool:
    with catalog.transaction() as tx:
        return tx.gauges.is_led(name)


class GaugesContract(CatalogSuite):
    def test_every_queue_and_every_status_has_its_number_0_too(self, catalog: Catalog, user: str) -> None:
        before = _read(catalog)
        add_video(catalog, user, status=Status.EXPIRED)
        after = _read(catalog)
        for numbers in (after.ready, after.oldest, after.delayed, after.running, after.expired, after.workers):
            assert set(numbers) == set(Queue)
        assert set(after.videos) == set(Status)
        assert after.videos == {**before.videos, "EXPIRED": before.videos["EXPIRED"] + 1}

    def test_what_is_due_waits_and_what_is_not_is_delayed(self, catalog: Catalog, video: Video) -> None:
        with catalog.transaction() as tx:  # each time around one change: leases of other tests end meanwhile
            before = tx.gauges.read(seconds=30)
            tx.jobs.request(video, Step.EXTRACT)
            assert tx.gauges.read(seconds=30).ready["media"] == before.ready["media"] + 1
        assert eventually(5, lambda: _read(catalog).oldest["media"] > 0.3)
        with catalog.transaction() as tx:
            before = tx.gauges.read(seconds=30)
            claim = tx.jobs.claim(Queue.MEDIA, "contract", seconds=30)
            assert claim is not None
            assert tx.gauges.read(seconds=30).running["media"] == before.running["media"] + 1
        with catalog.transaction() as tx:
            before = tx.gauges.read(seconds=30)
            tx.jobs.end(claim, result=None, retry_after=60)
            after = tx.gauges.read(seconds=30)
        assert after.delayed["media"] == before.delayed["media"] + 1
        assert after.ready["media"] == before.ready["media"]

    def test_a_lease_that_ended_is_told_from_one_that_lives(self, catalog: Catalog, video: Video) -> None:
        with catalog.transaction() as tx:
            tx.jobs.request(video, Step.EXTRACT)
            before = tx.gauges.read(seconds=30)
            assert tx.jobs.claim(Queue.MEDIA, "contract", seconds=-1) is not None
            after = tx.gauges.read(seconds=30)
        assert after.expired["media"] >= before.expired["media"]
        assert after.expired["media"] + after.ready["media"] == before.expired["media"] + before.ready["media"]
        assert after.running["media"] <= before.running["media"]

    def test_living_workers_are_counted(self, catalog: Catalog) -> None:
        before = _read(catalog).workers["ai"]
        with catalog.transaction() as tx:
            tx.workers.seen(f"ai@{uuid4()}", Queue.AI)
            assert tx.gauges.read(seconds=30).workers["ai"] == before + 1
        with catalog.transaction() as tx:
            assert tx.gauges.read(seconds=0).workers["ai"] == 0

    def test_who_leads_is_seen_from_everywhere(self, catalog: Catalog) -> None:
        name = f"contract {uuid4()}"
        leadership = catalog.leadership(name)
        assert not _is_led(catalog, name)
        assert leadership.is_mine()
        assert _is_led(catalog, name)
        assert not _is_led(catalog, f"{name} of another")
        leadership.resign()
        assert eventually(5, lambda: not _is_led(catalog, name))
        assert _read(catalog).is_led == _is_led(catalog, SWEEP)
