"""Work that waits for a paid service: what is told of it, what ends it, and what it does not cost."""

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from biblio.adapters.limiter.token_bucket import connect
from biblio.adapters.speech.pieces import Piece, Recognised, hear
from biblio.domain.flow import Queue, Status, Step
from biblio.domain.rate_limit import RateLimit
from biblio.domain.transcript import Word
from biblio.domain.video import Video
from biblio.dsn import Dsn
from biblio.errors import RateLimited
from biblio.pipeline.cancel import cancel
from biblio.pipeline.lease import Worker
from biblio.ports.call import CallContext
from biblio.ports.embedder import Embedder, Vector
from biblio.ports.speech import Heard
from tests.chaos.faulty import Died
from tests.pipeline.hearing import transcript
from tests.pipeline.road import WORKER, Road, open_road

PATIENCE = 60.0


@contextmanager
def paying(addresses: Mapping[str, str], options: str) -> Iterator[tuple[Road, Video]]:
    """A video that is next to be heard, by an engine with an account of its own."""
    with open_road(addresses, f"scripted://{uuid4().hex}?{options}") as road:
        user = road.new_user()
        yield road, road.at(Status.TRANSCRIBING, user)
        road.forget(user)


@contextmanager
def at_work(road: Road, worker: Worker = WORKER) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=road.work, args=(Queue.AI, worker))
    thread.start()
    yield thread
    thread.join(PATIENCE)


def waits_for(road: Road, video: Video) -> str | None:
    with road.services.catalog.transaction() as tx:
        return tx.events.outlook(tx.videos.get(video.id)).waits_for


def eventually(true: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kinds(road: Road, video: Video) -> list[str]:
    return [event.kind for event in road.events(video) if event.step is Step.TRANSCRIBE and event.kind != "status"]


def test_a_near_turn_is_waited_for_and_the_status_says_so(addresses: Mapping[str, str]) -> None:
    with paying(addresses, "longest=25&calls_per_minute=24") as (road, video):
        with at_work(road):
            eventually(lambda: waits_for(road, video) == "quota")
            assert road.now(video).status is Status.TRANSCRIBING
        assert road.now(video).status is Status.EMBEDDING
        assert waits_for(road, video) is None
        begun, *told = kinds(road, video)
        assert (begun, told) == ("begun", ["waiting", "resumed"] * (len(told) // 2))
        assert len(told) <= 2 * 3, "once for each piece at most"
        (waiting, *_) = (event.detail for event in road.events(video) if event.kind == "waiting")
        assert (waiting["code"], waiting["step"]) == ("RATE_LIMITED", Step.TRANSCRIBE)
        assert 1.0 <= waiting["seconds"] <= 2.6


def test_a_far_turn_gives_the_step_back_and_is_no_try(addresses: Mapping[str, str]) -> None:
    with paying(addresses, "seconds_per_minute=1") as (road, video):
        assert road.work(Queue.AI)
        assert waits_for(road, video) is None, "a limit of which nothing is known waits half a second, once"
        road.walk(video)
        other = road.at(Status.TRANSCRIBING, video.user_id)
        assert road.work(Queue.AI)
        assert waits_for(road, other) == "quota"
        assert kinds(road, other) == ["begun", "waiting"]
        last = road.events(other)[-1].detail
        assert last["seconds"] > 30
        assert "quota of the speech service" in last["message"]
        assert (Step.TRANSCRIBE, "READY", 0, 0) in road.jobs(other)


def test_who_waits_for_a_turn_is_canceled_at_once(addresses: Mapping[str, str]) -> None:
    with paying(addresses, "calls_per_minute=3") as (road, video), at_work(road) as worker:
        eventually(lambda: waits_for(road, video) == "quota")
        begin = time.monotonic()
        cancel(road.services, video.user_id, video.id)
        worker.join(PATIENCE)
        assert time.monotonic() - begin < 5
        assert road.now(video).status is Status.CANCELED
        assert waits_for(road, video) is None


def test_nothing_is_paid_for_while_the_limiter_is_away(addresses: Mapping[str, str], tmp_path: Path) -> None:
    with paying(addresses, f"calls_per_minute=600&log={tmp_path / 'calls'}") as (road, video):
        away = connect(Dsn("redis", "127.0.0.1", 1))
        assert replace(road, services=replace(road.services, limiter=away)).work(Queue.AI)
        assert not (tmp_path / "calls").exists()
        assert kinds(road, video) == ["begun", "retry"]
        assert (Step.TRANSCRIBE, "READY", 1, 0) in road.jobs(video)


class Ears:
    """A service that takes `seconds` for each piece, and `refuses` the second one once, when it has heard what came
    after it."""

    longest = 10
    name = "ears"

    def __init__(self, *, parallel: int = 4, seconds: float = 0.0, refuses: bool = True) -> None:
        self.parallel, self._seconds, self._refuses = parallel, seconds, refuses
        self._limit = RateLimit(f"speech:{uuid4().hex}")
        self.heard: list[float] = []
        self.chosen = threading.Lock()

    def model_name(self, model: str | None) -> str:  # noqa: ARG002
        return self.name

    def transcribe(
        self, audio: Path, *, language: str | None, model: str | None, since: float = 0.0, call: CallContext
    ) -> Generator[Heard, None, None]:
        return hear(self, audio, language or "en", model or "", since, call)

    def recognise(
        self,
        piece: Piece,
        language: str | None,
        model: str,
        call: CallContext,
        on_progress: Callable[[float], None],
    ) -> Recognised:
        with call.admit(self._limit, piece.seconds):
            if self._refuses and piece.start > 0 and self.chosen.acquire(blocking=False):
                eventually(lambda: len(self.heard) >= 3)
                raise RateLimited("Too many.", retry_after=60.0)
            self.heard.append(piece.start)
            time.sleep(self._seconds)
        return Recognised((Word(f" {piece.start:.0f}", 1.0, 2.0),), "en")


def test_pieces_that_were_heard_behind_a_refused_one_are_not_paid_for_again(addresses: Mapping[str, str]) -> None:
    with paying(addresses, "") as (road, video):
        ears: Any = Ears()
        listening = replace(road, services=replace(road.services, speech=ears))
        assert listening.work(Queue.AI)
        assert (road.now(video).status, waits_for(road, video)) == (Status.TRANSCRIBING, "quota")
        before = len(ears.heard)
        assert before >= 3
        ears._limit = RateLimit(f"speech:{uuid4().hex}")  # as if the minute were over
        road.make_due()
        assert listening.work(Queue.AI)
        assert road.now(video).status is Status.EMBEDDING
        assert len(ears.heard) == len(set(ears.heard)) > before
        said = transcript(road.services, road.now(video)).text.split()
        assert said == [f"{start:.0f}" for start in sorted(ears.heard)]


def test_calls_under_way_when_the_worker_is_to_stop_are_paid_for_once(addresses: Mapping[str, str]) -> None:
    with paying(addresses, "") as (road, video):
        ears: Any = Ears(parallel=2, seconds=2.5, refuses=False)
        listening = replace(road, services=replace(road.services, speech=ears))
        stopping = threading.Event()
        with at_work(listening, Worker("stopping", stopping.is_set)):
            eventually(lambda: ears.heard)
            stopping.set()
        assert road.now(video).status is Status.TRANSCRIBING
        before = len(ears.heard)
        assert before <= 2, "no other was begun"
        assert listening.work(Queue.AI)
        assert road.now(video).status is Status.EMBEDDING
        assert len(ears.heard) == len(set(ears.heard)) > before


class Paid:
    """An embedder that counts, and fails once after so many texts."""

    def __init__(self, embedder: Embedder, failures: Mapping[int, BaseException]) -> None:
        self._embedder, self._failures = embedder, dict(failures)
        self._limit = RateLimit(f"embedder:{uuid4().hex}")
        self.space, self.dimension = embedder.space, embedder.dimension
        self.texts_at_once = 16
        self.count_tokens = embedder.count_tokens
        self.embedded: list[str] = []

    def embed_documents(self, texts: Sequence[str], *, call: CallContext | None = None) -> list[Vector]:
        assert call is not None
        with call.admit(self._limit, len(texts)):
            if failure := self._failures.pop(len(self.embedded), None):
                raise failure
        self.embedded += texts
        return self._embedder.embed_documents(texts)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Of eighty sentences."""
    sentences = [[place * 0.4, place * 0.4 + 0.3, f"This is sentence number {place}."] for place in range(80)]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"language": "en", "sentences": sentences}))
    return script


@pytest.mark.parametrize(("retry_after", "jobs"), [(0.5, 1), (60.0, 2)], ids=["near", "far"])
def test_what_was_embedded_before_a_refusal_is_not_embedded_again(
    addresses: Mapping[str, str], script: Path, retry_after: float, jobs: int
) -> None:
    with paying(addresses, f"path={script}") as (road, video):
        embedder: Any = Paid(road.services.embedder, {64: RateLimited("Too many.", retry_after=retry_after)})
        assert road.work(Queue.AI)
        assert road.now(video).status is Status.EMBEDDING
        stingy = replace(road, services=replace(road.services, embedder=embedder))
        for left in reversed(range(jobs)):
            road.make_due()
            embedder._limit = RateLimit(f"embedder:{uuid4().hex}") if left == 0 and jobs == 2 else embedder._limit
            assert stingy.work(Queue.AI)
            assert waits_for(road, video) == ("quota" if left else None)
        assert road.now(video).status is Status.INDEXING
        assert len(embedder.embedded) == len(set(embedder.embedded)) > 64
        assert road.walk(video).status is Status.COMPLETED


def test_what_was_embedded_before_kill_9_is_not_embedded_again(
    addresses: Mapping[str, str], script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biblio.pipeline.embed.KEEP_EVERY", 0.0)
    with paying(addresses, f"path={script}") as (road, video):
        embedder: Any = Paid(road.services.embedder, {32: Died(), 64: Died()})
        road.walk(video, Status.EMBEDDING)
        paid = replace(road, services=replace(road.services, embedder=embedder))
        for _ in range(2):
            with pytest.raises(Died):
                paid.work(Queue.AI)
            road.make_due()
        assert paid.work(Queue.AI)
        assert road.now(video).status is Status.INDEXING
        assert len(embedder.embedded) == len(set(embedder.embedded)) > 64
        assert road.walk(video).status is Status.COMPLETED
        road.finish()
        assert road.drift(video) == []
