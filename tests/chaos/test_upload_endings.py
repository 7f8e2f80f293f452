"""An upload ends once, whoever says so, how often and in what order: the client, storage's event, the sweep (R15)."""

import os
import random
import subprocess
import sys
import time
from functools import partial
from itertools import permutations
from pathlib import Path

import httpx
import pytest

from biblio.domain.flow import Status
from biblio.pipeline.sweep import sweep
from tests.chaos.fault_proxy import FaultProxy, Link
from tests.chaos.place import Place, make_film, sha256_of
from tests.chaos.sending import ONE_PART, PART, SMALL, TWO_PARTS, Sender, at_once, body

TRIGGERS = ("call", "event", "sweep")
ORDERS = [order for count in (1, 2, 3) for order in permutations(TRIGGERS, count)]
DOUBLED = [(*order, again) for order in ORDERS for again in order]
SWEEPS_SECONDS = 10.0
BEAT = 0.5
LONGEST_LEAD = 0.06
"""Seconds by which one call is made before the other, so that now the one wins the race, now the other."""


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    rounds: int = request.config.getoption("--upload-rounds")
    return rounds


def content_of(trial: int) -> bytes:
    return (SMALL, ONE_PART, SMALL, TWO_PARTS)[trial % 4]


def pull(sender: Sender, trigger: str, video_id: str) -> None:
    if trigger == "call":
        body(sender.complete(video_id), 202)
    elif trigger == "event":
        body(sender.event(video_id), 200)
    else:
        sweep(sender.place.services)


def one_job(place: Place, video_id: str, trial: object) -> None:
    """Fails unless the video was set on its road once; then forgets it."""
    video = place.video(video_id)
    assert video.status is Status.PENDING, trial
    assert video.etag, trial
    assert place.jobs(video_id) == [("extract", "READY")], trial
    assert place.messages().count(video_id) == 1, trial
    assert place.unfinished(video_id) == [], trial
    place.forget(video_id)


@pytest.mark.timeout(900)
def test_completing_twice_at_once_starts_one_job(sender: Sender, rounds: int) -> None:
    for trial in range(rounds):
        video_id = sender.send(content_of(trial))
        answers = at_once(*[partial(sender.complete, video_id)] * 2)
        assert [answer.status_code for answer in answers] == [202, 202], (trial, [answer.text for answer in answers])
        one_job(sender.place, video_id, trial)


@pytest.mark.timeout(900)
def test_all_three_triggers_racing_start_one_job(sender: Sender, rounds: int) -> None:
    for trial in range(rounds):
        video_id = sender.send(content_of(trial))
        sender.place.make_due(video_id)
        at_once(*[partial(pull, sender, trigger, video_id) for trigger in ("call", *TRIGGERS)])
        one_job(sender.place, video_id, trial)


@pytest.mark.parametrize("order", [*ORDERS, *DOUBLED], ids="-".join)
def test_any_of_the_triggers_in_any_order_start_one_job(sender: Sender, order: tuple[str, ...]) -> None:
    for content in (SMALL, ONE_PART):
        video_id = sender.send(content)
        for trigger in order:
            sender.place.make_due(video_id)
            pull(sender, trigger, video_id)
        one_job(sender.place, video_id, order)


def test_without_any_trigger_a_video_waits(sender: Sender) -> None:
    video_id = sender.send(SMALL)
    assert sender.place.video(video_id).status is Status.UPLOADING
    assert sender.place.jobs(video_id) == []
    sender.place.forget(video_id)


def test_a_trigger_that_comes_too_early_does_no_harm(sender: Sender) -> None:
    place, video_id = sender.place, sender.announce(len(TWO_PARTS))["video_id"]
    sender.put_parts(video_id, TWO_PARTS, [2])
    place.make_due(video_id)
    sweep(place.services)
    assert body(sender.event(video_id), 200) == {"started": 0, "ignored": 1}
    assert sender.complete(video_id).json()["numbers"] == [1]
    assert place.video(video_id).status is Status.UPLOADING
    sender.put_parts(video_id, TWO_PARTS, [1])
    pull(sender, "call", video_id)
    one_job(place, video_id, "early")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", [100_000, 2 * PART + 999], ids=["one PUT", "in parts"])
def test_a_client_killed_after_the_last_byte_is_swept_up(
    place: Place, sender: Sender, tmp_path: Path, size: int, rounds: int
) -> None:
    seconds = []
    with FaultProxy(sender.api) as api:
        for trial in range(max(1, rounds // 10)):
            film = make_film(tmp_path / f"vanished-{size}-{trial}.mp4", size, trial)
            ingest_and_die(place, api, film)
            (video_id,) = place.named(film.name)
            assert place.video(video_id).status is Status.UPLOADING
            seconds.append(sweep_until_started(place, video_id))
            assert place.sha256(video_id) == sha256_of(film)
            one_job(place, video_id, trial)
    print(f"started after {max(seconds):.1f} s at most, nobody having called")


def ingest_and_die(place: Place, api: FaultProxy, film: Path) -> None:
    """`biblio ingest`, killed as it opens its mouth to say that all is sent."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BIBLIO_")}
    environment |= {"BIBLIO_URL": api.url, "BIBLIO_API_KEY": place.key}
    silent = subprocess.DEVNULL
    command = [sys.executable, "-m", "biblio", "ingest", str(film)]

    def kill(link: Link) -> None:
        process.kill()
        link.reset()

    trap = api.at_request(b"POST /api/videos/[^ ]+/upload-complete ", kill)
    process = subprocess.Popen(command, env=environment, stdout=silent, stderr=silent)
    assert trap.sprung.wait(60)
    process.wait(10)


def sweep_until_started(place: Place, video_id: str) -> float:
    """Seconds. A worker sweeps every 2 s, and an upload that has just moved is looked at as often."""
    began = time.monotonic()
    while place.video(video_id).status is Status.UPLOADING:
        assert time.monotonic() - began < SWEEPS_SECONDS
        sweep(place.services)
        time.sleep(BEAT)
    return time.monotonic() - began


def test_what_never_arrives_leaves_nothing(place: Place) -> None:
    with place.api(BIBLIO_UPLOAD_LIFETIME="2", BIBLIO_UPLOAD_SECONDS="300") as url:
        sender = Sender(place, url)
        never, some, all_but_size = [sender.announce(size)["video_id"] for size in (9, len(TWO_PARTS), 3 * PART)]
        sender.put_parts(some, TWO_PARTS, [1])
        signed = sender.sign(all_but_size, [1, 2, 3])
        sender.put(signed[2], bytes(PART))
        assert place.unfinished(some)
        time.sleep(2.1)
        for video_id in (never, some, all_but_size):
            place.make_due(video_id)
            sweep(place.services)
            assert place.video(video_id).status is Status.EXPIRED
            assert (place.objects(video_id), place.unfinished(video_id)) == ([], [])
            assert place.jobs(video_id) == []
            assert sender.complete(video_id).json()["code"] == "UPLOAD_ENDED"
        assert sender.put(signed[1], bytes(PART)).status_code == 404
        assert (place.objects(all_but_size), place.unfinished(all_but_size)) == ([], [])
        sender.close()


def test_what_comes_after_the_end_is_removed_too(place: Place) -> None:
    """A signed PUT holds on when its upload has expired; the sweep looks again when nothing signed can be written."""
    with place.api(BIBLIO_UPLOAD_LIFETIME="1", BIBLIO_UPLOAD_SECONDS="300") as url:
        sender = Sender(place, url)
        created = sender.announce(len(SMALL))
        video_id = created["video_id"]
        time.sleep(1.1)
        place.make_due(video_id)
        sweep(place.services)
        assert place.video(video_id).status is Status.EXPIRED
        assert sender.put(created["upload"], SMALL).status_code == 200
        with place.sql() as connection:
            earlier = "UPDATE uploads SET signed_until = now() - interval '2 days' WHERE video_id = %s"
            assert connection.execute(earlier, (video_id,)).rowcount == 1
        place.make_due(video_id)
        sweep(place.services)
        assert place.objects(video_id) == []
        sender.close()


def abort_after(sender: Sender, seconds: float, video_id: str) -> httpx.Response:
    time.sleep(seconds)
    return sender.abort(video_id)


def test_an_abort_racing_the_end_leaves_a_video_or_nothing(sender: Sender, seed: int) -> None:
    place, dice, seen = sender.place, random.Random(seed), set()
    for trial in range(40):
        video_id, lead = sender.send(content_of(trial)), dice.uniform(0, LONGEST_LEAD)
        works = partial(abort_after, sender, lead, video_id), partial(sender.complete, video_id)
        aborted, completed = at_once(*works)
        status = place.video(video_id).status
        seen.add(status)
        if status is Status.PENDING:
            assert (aborted.status_code, completed.status_code) == (409, 202), trial
            assert place.sha256(video_id), trial
            one_job(place, video_id, trial)
        else:
            assert status is Status.CANCELED, trial
            assert (aborted.status_code, completed.status_code) == (200, 409), (trial, completed.text)
            assert (place.objects(video_id), place.unfinished(video_id), place.jobs(video_id)) == ([], [], []), trial
            place.forget(video_id)
    print(f"the race was won by: {seen}")


def test_parts_of_a_sweep_that_looks_while_they_come_are_not_lost(sender: Sender) -> None:
    place, content = sender.place, TWO_PARTS
    for trial in range(10):
        video_id = sender.announce(len(content))["video_id"]
        sender.put_parts(video_id, content, [1])
        place.make_due(video_id)
        at_once(partial(sender.put_parts, video_id, content, [2]), partial(pull, sender, "sweep", video_id))
        if place.video(video_id).status is Status.UPLOADING:
            pull(sender, "call", video_id)
        one_job(place, video_id, trial)
