"""Contexts of paid calls: of whoever counts nothing, and of a step in a worker's hands."""

import time
from uuid import uuid4

import pytest

from biblio.domain.flow import Queue, Status
from biblio.domain.rate_limit import PaidCall, RateLimit
from biblio.errors import LeaseLost, RateLimited
from biblio.pipeline.admission import QUESTION_PATIENCE, question_call
from biblio.pipeline.lease import LEASE_SECONDS, Lease, Worker
from biblio.pipeline.quota_wait import QuotaWait
from biblio.pipeline.transcribe import Draft, HearingCall
from biblio.ports.call import CallContext, Unpaced
from tests.contracts.call import PLENTY, CallContract
from tests.pipeline.road import SECONDS, Road


class TestUnpaced(CallContract):
    @pytest.fixture
    def call(self) -> CallContext:
        return Unpaced()


def in_hand(road: Road, user: str) -> Lease:
    """The lease of a video that is being transcribed."""
    road.at(Status.TRANSCRIBING, user)
    with road.services.catalog.transaction() as tx:
        claim = tx.jobs.claim(Queue.AI, "test", seconds=SECONDS)
    assert claim is not None
    return Lease(road.services, claim, Worker("test"))


class TestHearing(CallContract):
    @pytest.fixture
    def call(self, road: Road, user: str) -> CallContext:
        lease = in_hand(road, user)
        return HearingCall(road.services, lease, Draft(road.services, lease))


def test_whoever_stood_still_makes_no_call_of_a_step_that_is_anothers(
    road: Road, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not heard of its loss yet: the thread that renews its lease stood still too."""
    lease = in_hand(road, user)
    call = HearingCall(road.services, lease, Draft(road.services, lease))
    with road.sql() as connection:
        connection.execute("UPDATE jobs SET attempt = attempt + 1 WHERE video_id = %s", (lease.claim.video.id,))
    later = time.monotonic() + LEASE_SECONDS + 1
    with call.admit(PLENTY, 1.0):
        pass
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(LeaseLost), call.admit(PLENTY, 1.0):
        pytest.fail("the call was made")


def test_what_a_worker_noted_its_successor_recalls(road: Road, user: str) -> None:
    lease = in_hand(road, user)
    HearingCall(road.services, lease, Draft(road.services, lease)).note("0-600", "operations/1")
    with road.services.catalog.transaction() as tx:
        tx.jobs.end(lease.claim, result=None, retry_after=0.0)
    with road.services.catalog.transaction() as tx:
        claim = tx.jobs.claim(Queue.AI, "next", seconds=SECONDS)
    assert claim is not None
    assert claim.tries == 2, "a note is no headway"
    later = Lease(road.services, claim, Worker("next"))
    assert HearingCall(road.services, later, Draft(road.services, later)).recall("0-600") == "operations/1"


def test_nobody_is_held_by_a_service_that_refuses_again_and_again(road: Road, user: str) -> None:
    limit, call = RateLimit(f"embedder:{uuid4().hex}"), question_call(road.services, user)

    def ask() -> None:
        with call.admit(limit, 1.0):
            raise RateLimited("Too many.", retry_after=0.2)

    begin = time.monotonic()
    with pytest.raises(RateLimited) as refused:
        call.until_taken(ask)
    assert time.monotonic() - begin < 6 * QUESTION_PATIENCE
    assert refused.value.retry_after == pytest.approx(0.2, abs=0.1)


def test_who_takes_over_from_an_engine_out_of_quota_waits_for_nothing(road: Road, user: str) -> None:
    lease = in_hand(road, user)
    sign = QuotaWait(road.services, lease)
    call = PaidCall(RateLimit("speech:first"), uuid4().hex, user)
    sign.waits(call, 5.0)
    sign.works()
    assert waits_for(road, lease) == "quota", "its turn has not come"
    sign.gives_up(call)
    sign.works()
    assert waits_for(road, lease) is None


def test_a_call_whose_step_is_over_is_not_made(road: Road, user: str) -> None:
    lease = in_hand(road, user)
    call = HearingCall(road.services, lease, Draft(road.services, lease))
    with lease:
        pass
    with pytest.raises(LeaseLost), call.admit(PLENTY, 10.0):
        pytest.fail("It was made.")


def waits_for(road: Road, lease: Lease) -> str | None:
    with road.services.catalog.transaction() as tx:
        return tx.events.outlook(tx.videos.get(lease.claim.video.id)).waits_for
