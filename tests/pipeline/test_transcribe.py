"""Hearing piece by piece: whatever breaks and whenever, a piece that was kept is not heard again."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from biblio.domain import keys
from biblio.domain.flow import Queue, Status
from biblio.domain.video import Video
from biblio.errors import Unavailable
from biblio.pipeline import runner
from biblio.pipeline.cancel import cancel
from biblio.ports.storage import Storage, StoredObject
from tests.pipeline.hearing import WORKER, Ear, ear, extracted, heard, seen, transcript, undisturbed
from tests.pipeline.listener import start_listener


@pytest.fixture(scope="module")
def addresses(own_addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Here a worker has to find the one job that is meant."""
    return own_addresses


@pytest.fixture
def quick(addresses: Mapping[str, str], tmp_path: Path) -> Iterator[Ear]:
    with ear(addresses, tmp_path) as found:
        yield found


@pytest.fixture
def video(quick: Ear) -> Video:
    return extracted(quick.services)


class Meddled:
    """The real storage, where something happens before and after one object is written."""

    def __init__(
        self,
        storage: Storage,
        name: str,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self._storage = storage
        self._name = name
        self._before, self._after = before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def write(self, key: str, content: BinaryIO, *, content_type: str) -> StoredObject:
        meant = key.endswith(self._name)
        if meant and self._before:
            self._before()
        stored = self._storage.write(key, content, content_type=content_type)
        if meant and self._after:
            self._after()
        return stored


def breaks() -> None:
    raise Unavailable("The storage is away.")


def disturb(quick: Ear, name: str, **acts: Callable[[], None]) -> None:
    """One attempt to hear the video, with something happening where it leaves the object `name`."""
    storage: Any = Meddled(quick.services.storage, name, **acts)
    while not quick.calls("begin"):
        runner.work(replace(quick.services, storage=storage), Queue.AI, WORKER)


def test_a_talk_is_heard_in_pieces_each_of_them_once(quick: Ear, video: Video, tmp_path: Path) -> None:
    assert heard(quick.services, video).status is Status.EMBEDDING
    sentences, begins = undisturbed(quick.services, video, tmp_path)
    assert len(begins) >= 10
    found = transcript(quick.services, video)
    assert (found.sentences, found.language) == (sentences, "ko")
    assert quick.calls("begin") == quick.calls("done") == dict.fromkeys(begins, 1)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_storage_that_fails_at_a_piece_costs_that_piece(quick: Ear, video: Video, tmp_path: Path, moment: str) -> None:
    """After: the object is there, and no checkpoint names it."""
    disturb(quick, "piece-0004.json", **{moment: breaks})
    assert seen(quick.services, video).status is Status.TRANSCRIBING
    heard(quick.services, video)
    sentences, begins = undisturbed(quick.services, video, tmp_path)
    assert transcript(quick.services, video).sentences == sentences
    assert quick.calls("begin") == {**dict.fromkeys(begins, 1), begins[4]: 2}


def test_a_piece_that_is_gone_is_heard_again_with_what_follows_it(quick: Ear, video: Video, tmp_path: Path) -> None:
    disturb(quick, "piece-0006.json", before=breaks)
    quick.services.storage.remove(keys.artefact(video.id, video.generation, 1, "piece-0003.json"))
    heard(quick.services, video)
    sentences, begins = undisturbed(quick.services, video, tmp_path)
    assert transcript(quick.services, video).sentences == sentences
    assert quick.calls("begin") == {**dict.fromkeys(begins, 1), **dict.fromkeys(begins[3:7], 2)}


def test_what_a_crash_after_the_last_piece_leaves_is_enough(quick: Ear, video: Video, tmp_path: Path) -> None:
    disturb(quick, "transcript.json", before=breaks)
    heard(quick.services, video)
    sentences, begins = undisturbed(quick.services, video, tmp_path)
    assert transcript(quick.services, video).sentences == sentences
    assert quick.calls("begin") == dict.fromkeys(begins, 1)


def test_what_another_model_heard_is_not_continued(quick: Ear, video: Video, tmp_path: Path) -> None:
    with quick.services.catalog.transaction() as tx:
        claim = tx.jobs.claim(Queue.AI, "before", seconds=60)
        assert claim is not None
        assert claim.video.id == video.id
        foreign = {"heard_by": ["faster-whisper", "base", None, None], "pieces": ["videos/none/piece-0000.json"]}
        tx.jobs.renew(claim, seconds=60, checkpoint=foreign)
        tx.jobs.end(claim, result=None, retry_after=0)
    heard(quick.services, video)
    sentences, begins = undisturbed(quick.services, video, tmp_path)
    assert transcript(quick.services, video).sentences == sentences
    assert quick.calls("begin") == dict.fromkeys(begins, 1)


def test_no_piece_is_begun_once_the_video_is_canceled(quick: Ear, video: Video) -> None:
    def stop() -> None:
        cancel(quick.services, video.user_id, video.id)

    disturb(quick, "piece-0002.json", before=stop)
    assert seen(quick.services, video).status is Status.CANCELED
    assert quick.calls("begin").total() == quick.calls("done").total() == 3


@pytest.mark.timeout(3600)
def test_a_kill_at_any_moment_costs_one_piece_at_most(
    addresses: Mapping[str, str], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    given: int | None = pytestconfig.getoption("--resume-seed")
    seed = random.SystemRandom().randrange(1_000_000) if given is None else given
    for trial in range(pytestconfig.getoption("--resume-kills")):
        folder = tmp_path / f"{trial}"
        folder.mkdir()
        with ear(addresses, folder, "&seconds_per_sentence=0.02") as slow:
            killed_once(slow, folder, random.Random(f"{seed} {trial}"), f"--resume-seed {seed}, trial {trial}")


def killed_once(slow: Ear, folder: Path, dice: random.Random, trial: str) -> None:
    video = extracted(slow.services)
    sentences, begins = undisturbed(slow.services, video, folder)
    kill(slow, video, after=dice.randrange(2 * len(begins)), seconds=dice.uniform(0, 0.1))
    heard(slow.services, video)
    begun, done = slow.calls("begin"), slow.calls("done")
    assert set(begun) == set(done) == set(begins), trial
    assert begun.total() <= len(begins) + 1, trial
    assert transcript(slow.services, video).sentences == sentences, trial
    cancel(slow.services, video.user_id, video.id)  # so that nobody embeds it


def kill(slow: Ear, video: Video, after: int, seconds: float) -> None:
    """SIGKILL to a process that hears, some `seconds` after its log has `after` lines."""
    name = f"listener of {video.id}"
    process = start_listener(slow.settings, video.id, name)
    try:
        while (slow.calls("begin") + slow.calls("done")).total() < after and process.is_alive():
            time.sleep(0.005)
        time.sleep(seconds)
    finally:
        process.kill()
        process.join()
    runner.bury(slow.services, name)
