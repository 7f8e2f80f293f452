"""Who holds a step: workers that are told to stop, and workers that wake up when all is over."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Video
from biblio.errors import LeaseLost, Unavailable
from biblio.pipeline import runner
from biblio.pipeline.artefacts import leave
from biblio.pipeline.cancel import cancel
from biblio.pipeline.cleanup import take_back
from biblio.pipeline.lease import LEASE_SECONDS, LET_GO_SECONDS, Lease, Worker
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.retries import MOST_TRIES, next_try
from biblio.ports.jobs import Claim
from tests.pipeline.road import WORKER, Road


@dataclass
class Slow:
    """An engine that takes its time, and comes to a report when it is `gentle`."""

    gentle: bool
    begun: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def extract(self, _source: object, _folder: object, on_progress: Callable[[float], None]) -> Any:
        self.begun.set()
        while not self.let_go.wait(0.05):
            if self.gentle:
                on_progress(0.5)
        raise Unavailable("It was let go.")


def with_audio(road: Road, audio: Any) -> Road:
    return replace(road, services=replace(road.services, audio=audio))


@dataclass
class Process:
    """A worker at work in a thread. What would end its process is noted."""

    road: Road
    stopping: threading.Event = field(default_factory=threading.Event)
    died: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        worker = Worker("process", self.stopping.is_set, self.died.set)
        self.thread = threading.Thread(target=self.road.work, args=(Queue.MEDIA, worker))
        self.thread.start()


def test_a_worker_that_is_to_stop_gives_back_at_once_and_no_try_is_counted(road: Road, begun: Video) -> None:
    slow = Slow(gentle=True)
    process = Process(with_audio(road, slow))
    assert slow.begun.wait(5)
    process.stopping.set()
    process.thread.join(3)
    assert not process.thread.is_alive()
    assert not process.died.is_set()
    assert road.jobs(begun) == [(Step.EXTRACT, "READY", 0, 0)]
    last = road.events(begun)[-1]
    assert (last.kind, last.detail["code"], last.detail["seconds"]) == ("retry", "WORKER_STOPPING", 0.0)
    assert road.work(Queue.MEDIA), "due at once"


def test_one_that_can_not_stop_gives_back_after_its_grace_and_ends(road: Road, begun: Video) -> None:
    slow = Slow(gentle=False)
    process = Process(with_audio(road.limited(stop_seconds=1.5), slow))
    assert slow.begun.wait(5)
    process.stopping.set()
    assert not process.died.wait(1.0)
    assert process.died.wait(5.0)
    assert road.jobs(begun) == [(Step.EXTRACT, "READY", 0, 0)]
    slow.let_go.set()
    process.thread.join(5)
    assert road.jobs(begun) == [(Step.EXTRACT, "READY", 0, 0)], "nothing is written any more"


@pytest.mark.timeout(60)
def test_while_it_stops_nobody_else_takes_its_step(road: Road, begun: Video) -> None:
    slow = Slow(gentle=False)
    process = Process(with_audio(road, slow))
    assert slow.begun.wait(5)
    process.stopping.set()
    time.sleep(LEASE_SECONDS + 2.0)
    assert not road.work(Queue.MEDIA)
    assert road.now(begun).status is Status.EXTRACTING
    slow.let_go.set()
    process.thread.join(5)


def test_one_whose_step_was_taken_away_ends_when_it_does_not_let_go(road: Road, begun: Video) -> None:
    slow = Slow(gentle=False)
    process = Process(with_audio(road, slow))
    assert slow.begun.wait(5)
    with road.sql() as connection:
        connection.execute("UPDATE jobs SET attempt = attempt + 1 WHERE video_id = %s", (begun.id,))
    taken = time.monotonic()
    assert process.died.wait(6.0)
    assert LET_GO_SECONDS <= time.monotonic() - taken <= 5.0
    slow.let_go.set()
    process.thread.join(5)


def zombie(road: Road, queue: Queue) -> tuple[Claim, Lease]:
    """It claims a step and stands still until its lease is over."""
    with road.services.catalog.transaction() as tx:
        claim = tx.jobs.claim(queue, "zombie", seconds=-1.0)
    assert claim is not None
    return claim, Lease(road.services, claim, Worker("zombie"))


@pytest.mark.parametrize(("status", "queue"), [(Status.TRANSCRIBING, Queue.AI), (Status.INDEXING, Queue.INDEX)])
def test_what_a_zombie_does_is_not_seen(road: Road, user: str, status: Status, queue: Queue) -> None:
    """It wakes up when another has done its step and the video is complete, does all of it, and ends it."""
    video = road.at(status, user)
    claim, lease = zombie(road, queue)
    road.finish()
    before = road.now(video)
    assert before.status is Status.COMPLETED
    result = runner.WORK[claim.step](road.services, with_quiet_reports(lease))
    with pytest.raises(LeaseLost), road.services.catalog.transaction() as tx:
        tx.jobs.end(claim, result=result)
    with pytest.raises(LeaseLost):
        lease.save({"by": "a zombie"})
    assert road.now(video) == before
    assert road.generations(video) == ({1}, {1})
    left = [one.where for one in road.drift(video, mend=True)]
    assert all("/generations/1/1/" in where for where in left), "what it left under its own attempt's keys, at most"
    road.finish()
    assert road.drift(video) == []


def with_quiet_reports(lease: Lease) -> Any:
    """Of one that no longer hears, either, that it has lost its lease."""

    class Deaf:
        claim = lease.claim
        at_end = lease.at_end

        def report(self, _done: float) -> None: ...

        def save(self, _checkpoint: dict[str, Any]) -> None: ...

        def confirm(self) -> None: ...

        def check(self) -> None: ...

    return Deaf()


def test_what_was_written_after_the_clean_up_is_taken_back(road: Road, user: str) -> None:
    """It stood still with its results in hand, and wakes when all is done and cleared up."""
    video = road.at(Status.EMBEDDING, user)
    claim, _ = zombie(road, Queue.AI)
    road.finish()
    left = {"vectors.json": leave(road.services, claim, "vectors.json", {})}
    assert left["vectors.json"] in road.objects(video)
    take_back(road.services, claim)
    assert left["vectors.json"] not in road.objects(video)
    assert road.drift(video) == []


def test_a_worker_that_was_heard_of_no_more_is_told_of(road: Road, begun: Video) -> None:
    zombie(road, Queue.MEDIA)
    road.walk(begun)
    kinds = [(event.kind, event.detail.get("attempt")) for event in road.events(begun) if event.detail.get("attempt")]
    assert kinds[:2] == [("lost", 1), ("begun", 2)], "it claimed by hand, so nobody had written of its beginning"
    assert [kind for kind, _ in kinds].count("lost") == 1


@pytest.mark.parametrize("status", [Status.TRANSCRIBING, Status.EMBEDDING])
def test_whoever_wakes_up_without_its_step_pays_for_nothing(road: Road, user: str, status: Status) -> None:
    class Paid:
        def __init__(self, engine: Any) -> None:
            self._engine = engine

        def __getattr__(self, name: str) -> Any:
            assert name not in ("transcribe", "embed_documents"), "it was asked to work"
            return getattr(self._engine, name)

    road.at(status, user)
    claim, lease = zombie(road, Queue.AI)
    road.finish()
    speech: Any = Paid(road.services.speech)
    embedder: Any = Paid(road.services.embedder)
    with pytest.raises(LeaseLost):
        runner.WORK[claim.step](replace(road.services, speech=speech, embedder=embedder), lease)


def test_a_zombie_of_a_generation_that_is_gone_is_not_seen(road: Road, user: str) -> None:
    """It writes the vectors of a run that was canceled; readers go on with what they saw."""
    video = road.at(Status.COMPLETED, user)
    road.finish()
    reprocess(road.services, user, video.id, step=Step.INDEX)
    claim, lease = zombie(road, Queue.INDEX)
    cancel(road.services, user, video.id)
    road.finish()
    runner.WORK[Step.INDEX](road.services, with_quiet_reports(lease))
    leave(road.services, claim, "vectors.json", {})
    with road.services.catalog.transaction() as tx:
        late = list(road.services.vectors.ids(user, video.id)[2])
        assert tx.finder.by_ids(user, late) == {}
    found = {one.where for one in road.drift(video, mend=True)}
    assert f"generation 2 of video {video.id}" in found
    road.finish()
    assert road.generations(video) == ({1}, {1})
    assert road.drift(video) == []


def test_a_lease_that_nobody_took_goes_on(road: Road, begun: Video) -> None:
    with road.services.catalog.transaction() as tx:
        claim = tx.jobs.claim(Queue.MEDIA, WORKER.name, seconds=-1.0)
    assert claim is not None
    Lease(road.services, claim, WORKER).save({"until": 1})
    assert not road.work(Queue.MEDIA)
    assert road.now(begun).status is Status.PENDING


def test_work_that_hangs_ends_with_its_process(road: Road, begun: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biblio.pipeline.lease.STALL_SECONDS", 1.5)
    slow = Slow(gentle=False)
    process = Process(with_audio(road, slow))
    assert process.died.wait(10)
    slow.let_go.set()
    process.thread.join(5)


def test_work_that_reports_does_not_hang(road: Road, begun: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biblio.pipeline.lease.STALL_SECONDS", 1.5)
    slow = Slow(gentle=True)
    process = Process(with_audio(road, slow))
    assert not process.died.wait(4)
    slow.let_go.set()
    process.thread.join(5)


def test_what_was_saved_is_a_new_start_for_the_attempt_too(road: Road, begun: Video) -> None:
    """Else one hiccup after hours of work would be its last."""
    with road.sql() as connection:
        connection.execute("UPDATE jobs SET tries = %s WHERE video_id = %s", (MOST_TRIES - 1, begun.id))
    with road.services.catalog.transaction() as tx:
        claim = tx.jobs.claim(Queue.MEDIA, "worker", seconds=LEASE_SECONDS)
    assert claim is not None
    away = Unavailable("It is away.")
    assert next_try(claim, away) is None
    lease = Lease(road.services, claim, WORKER)
    lease.save({"pieces": 1})
    assert next_try(lease.claim, away) is not None
    assert road.jobs(begun) == [(Step.EXTRACT, "RUNNING", lease.claim.tries, lease.claim.deaths)]


@pytest.mark.parametrize(
    "future",
    ["state = 'RUNNING', owner = 'nobody', lease_until = {later}", "not_before = {later} + interval '2 h'"],
)
def test_a_database_whose_clock_was_set_back_leaves_nothing_lying(road: Road, begun: Video, future: str) -> None:
    change = f"UPDATE jobs SET told_at = {{later}}, {future} WHERE video_id = %s"
    with road.sql() as connection:
        connection.execute(change.format(later="now() + interval '1 h'").encode(), (begun.id,))
    with road.services.catalog.transaction() as tx:
        assert begun.id in [job.video_id for job in tx.outbox.due(quiet=list(Queue), limit=100)]
    assert road.work(Queue.MEDIA)
    assert road.now(begun).status is Status.TRANSCRIBING
