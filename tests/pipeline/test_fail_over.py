"""A lecture whose first engine dies in the middle: what was heard is kept, the rest is another's, and each is named."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.transcript import Sentence
from biblio.domain.video import Video
from biblio.errors import Conflict
from biblio.pipeline import runner
from biblio.pipeline.artefacts import leave
from biblio.pipeline.cancel import cancel
from biblio.pipeline.lease import Lease
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.services import Services
from biblio.ports.usage import SECONDS_TRANSCRIBED, TOKENS_EMBEDDED, UsedByVideo
from tests.pipeline.hearing import (
    WORKER,
    Ear,
    extracted,
    hearing,
    seen,
    transcript,
    undisturbed,
    work_until,
)
from tests.pipeline.listener import start_listener

LONGEST = "longest=6"
"""The talk has twenty pieces of that length, or some more."""
DEATH = 45.0
"""Seconds: about in the middle of it."""
FIRST, SECOND = "scripted (first)", "scripted (second)"


@dataclass(frozen=True)
class Ears:
    """Two engines, and what they were asked to hear."""

    services: Services
    settings: Mapping[str, str]
    first: Ear
    second: Ear


@pytest.fixture(scope="module")
def addresses(own_addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Here a worker has to find the one job that is meant."""
    return own_addresses


@dataclass(frozen=True)
class Lecture:
    """`sentences` are what one engine hears alone, in pieces that begin at `begins` seconds."""

    video: Video
    sentences: tuple[Sentence, ...]
    begins: list[float]

    def to_be_heard(self, services: Services) -> Video:
        """In a run of its own."""
        with suppress(Conflict):
            cancel(services, self.video.user_id, self.video.id)
        return reprocess(services, self.video.user_id, self.video.id, step=Step.TRANSCRIBE)


@pytest.fixture(scope="module")
def lecture(addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Lecture:
    with hearing(addresses, "scripted://") as (services, _):
        video = extracted(services)
        lecture = Lecture(video, *undisturbed(services, video, tmp_path_factory.mktemp("lecture"), LONGEST))
    assert len(lecture.begins) >= 20
    return lecture


@contextmanager
def ears(
    addresses: Mapping[str, str], folder: Path, *, first: str = f"&fails_at={DEATH}", second: str = "", both: str = ""
) -> Iterator[Ears]:
    logs = folder / "first", folder / "second"
    one, other = (
        f"scripted://{log.name}?{LONGEST}&log={log}{both}{more}"
        for log, more in zip(logs, (first, second), strict=True)
    )
    with hearing(addresses, f"{one} {other}") as (services, settings):
        yield Ears(services, settings, *(Ear(services, settings, log) for log in logs))


def shares(services: Services, video: Video) -> list[tuple[str, int]]:
    return [(share.by.engine, share.pieces) for share in transcript(services, video).shares]


def heard(services: Services, video: Video) -> Video:
    return work_until(services, video, Queue.AI, lambda now: now.status is Status.EMBEDDING)


def tried_once(services: Services) -> None:
    while not runner.work(services, Queue.AI, WORKER):
        time.sleep(0.05)


@pytest.mark.parametrize("why", ["unavailable", "rate_limited", "misconfigured"])
def test_the_first_engine_dies_in_the_middle_of_a_lecture_of_twenty_pieces(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path, why: str
) -> None:
    with ears(addresses, tmp_path, first=f"&fails_at={DEATH}&fails_as={why}") as two:
        video = lecture.to_be_heard(two.services)
        heard(two.services, video)
        assert transcript(two.services, video).sentences == lecture.sentences, "no word lost or doubled"
        kept = [begin for begin in lecture.begins if begin in two.first.calls("done")]
        assert lecture.begins[: len(kept)] == kept
        assert 8 <= len(kept) <= len(lecture.begins) - 8
        assert two.first.calls("begin") == dict.fromkeys(lecture.begins[: len(kept) + 1], 1)
        assert two.second.calls("begin") == two.second.calls("done") == dict.fromkeys(lecture.begins[len(kept) :], 1)
        assert shares(two.services, video) == [(FIRST, len(kept)), (SECOND, len(lecture.begins) - len(kept))]


def test_meta_info_and_usage_tell_which_engine_heard_what(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path
) -> None:
    with ears(addresses, tmp_path) as two:
        begun = datetime.now(UTC)
        video = heard(two.services, lecture.to_be_heard(two.services))
        work_until(two.services, video, Queue.AI, lambda now: now.status is Status.INDEXING)
        done = work_until(two.services, video, Queue.INDEX, lambda now: now.status is Status.COMPLETED)
        said = transcript(two.services, video)
        first, second = said.shares
        assert done.meta_info["heard_by"] == [
            {"engine": FIRST, "model": "script", "start_time": 0.0, "end_time": first.end, "pieces": first.pieces},
            {
                "engine": SECOND,
                "model": "script",
                "start_time": first.end,
                "end_time": said.duration,
                "pieces": second.pieces,
            },
        ]
        longer = max(said.shares, key=lambda share: share.seconds)
        assert (done.meta_info["engine"], done.meta_info["model"]) == (longer.by.engine, "script")
        used = {(one.unit, one.engine): one.amount for one in usage(two.services, video, begun)}
        assert used[SECONDS_TRANSCRIBED, f"{FIRST} script"] == first.end
        assert used[SECONDS_TRANSCRIBED, f"{SECOND} script"] == pytest.approx(said.duration - first.end)
        assert len([unit for unit, _ in used if unit == TOKENS_EMBEDDED]) == 1


def usage(services: Services, video: Video, since: datetime) -> Sequence[UsedByVideo]:
    with services.catalog.transaction() as tx:
        return tx.usage.between(video.user_id, since, since + timedelta(days=1))


@pytest.mark.parametrize("after", [9, 22, 31])
def test_a_worker_that_is_killed_costs_one_piece_whoever_heard_it(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path, after: int
) -> None:
    """While the first hears, about when the second takes over, and while that one hears."""
    with ears(addresses, tmp_path, both="&seconds_per_sentence=0.02") as two:
        video = lecture.to_be_heard(two.services)
        kill(two, video, after)
        heard(two.services, video)
        assert transcript(two.services, video).sentences == lecture.sentences
        done = two.first.calls("done") + two.second.calls("done")
        assert set(done) == set(lecture.begins)
        assert done.total() <= len(lecture.begins) + 1
        ((one, many), (other, more)) = shares(two.services, video)
        assert (one, other, many + more) == (FIRST, SECOND, len(lecture.begins))


def kill(two: Ears, video: Video, after: int) -> None:
    """SIGKILL to a process that hears, when the logs have so many lines."""
    name = f"listener of {video.id}"
    process = start_listener(two.settings, video.id, name)
    ears = (two.first, two.second)
    try:
        while sum((ear.calls("begin") + ear.calls("done")).total() for ear in ears) < after and process.is_alive():
            time.sleep(0.005)
    finally:
        process.kill()
        process.join()
    runner.bury(two.services, name)


def test_where_nobody_can_go_on_the_rest_waits_for_whoever_comes_back(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path
) -> None:
    with ears(addresses, tmp_path, second=f"&fails_at={DEATH + 20}") as two:
        video = lecture.to_be_heard(two.services)
        tried_once(two.services)
        assert seen(two.services, video).status is Status.TRANSCRIBING
        kept = (two.first.calls("done") + two.second.calls("done")).total()
    with ears(addresses, tmp_path, first="") as mended:
        heard(mended.services, video)
        assert transcript(mended.services, video).sentences == lecture.sentences
        assert mended.first.calls("done") + mended.second.calls("done") == dict.fromkeys(lecture.begins, 1)
        assert mended.first.calls("done").total() + kept > len(lecture.begins) > kept
        assert [one for one, _ in shares(mended.services, video)] == [FIRST, SECOND, FIRST]


def test_quota_that_nobody_has_is_waited_for_and_is_no_try(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path
) -> None:
    with ears(addresses, tmp_path, both="&fails_as=rate_limited", second=f"&fails_at={DEATH}") as two:
        video = lecture.to_be_heard(two.services)
        with two.services.catalog.transaction() as tx:
            before = tx.events.last(video.user_id)
        tried_once(two.services)
        with two.services.catalog.transaction() as tx:
            kinds = [event.kind for event in tx.events.after(video.user_id, before, limit=1000)]
        assert "waiting" in kinds
        assert "retry" not in kinds


def test_an_engine_that_is_added_behind_goes_on_where_the_only_one_has_stopped(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path
) -> None:
    only = f"scripted://first?{LONGEST}&log={tmp_path / 'first'}&fails_at={DEATH}"
    with hearing(addresses, only) as (services, settings):
        video = lecture.to_be_heard(services)
        tried_once(services)
        kept = Ear(services, settings, tmp_path / "first").calls("done").total()
    with ears(addresses, tmp_path) as two:
        heard(two.services, video)
        assert transcript(two.services, video).sentences == lecture.sentences
        assert two.second.calls("begin") == dict.fromkeys(lecture.begins[kept:], 1)
        assert shares(two.services, video) == [("scripted", kept), (SECOND, len(lecture.begins) - kept)]


def test_what_a_biblio_of_before_has_kept_is_gone_on_from(
    addresses: Mapping[str, str], lecture: Lecture, tmp_path: Path
) -> None:
    """Its pieces don't say whose they are, its checkpoint does."""
    with ears(addresses, tmp_path, first="") as two:
        video = lecture.to_be_heard(two.services)
        with two.services.catalog.transaction() as tx:
            claim = tx.jobs.claim(Queue.AI, "before", seconds=60)
        assert claim is not None
        assert claim.video.id == video.id
        said = [
            [word.text, word.start, word.end]
            for one in lecture.sentences
            for word in one.words
            if word.start < lecture.begins[1]
        ]
        piece = {"until": lecture.begins[1], "language": "ko", "words": [[f" {text}", *times] for text, *times in said]}
        key = leave(two.services, claim, "piece-0000.json", piece)
        Lease(two.services, claim, WORKER).save({"heard_by": ["scripted", "script", None, None], "pieces": [key]})
        with two.services.catalog.transaction() as tx:
            tx.jobs.end(claim, result=None, retry_after=0)
        heard(two.services, video)
        assert transcript(two.services, video).sentences == lecture.sentences
        assert two.first.calls("begin") == dict.fromkeys(lecture.begins[1:], 1)
        assert shares(two.services, video) == [("scripted", 1), (FIRST, len(lecture.begins) - 1)]
