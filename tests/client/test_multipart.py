"""Files that go to storage in parts."""

import hashlib
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.errors import BiblioError, Conflict, Unavailable
from tests.client.conftest import PART, QUICK
from tests.emulators.biblio_api import ApiEmulator
from tests.emulators.biblio_storage import Stored
from tests.emulators.faults import CUT, DROP, LOSE, SLOW, Fault

MIB = 1024**2
COUNT = 12
EXPIRED = "AccessDenied</Code><Message>Request has expired</Message><Code>"


def is_whole(api: ApiEmulator, film: Path) -> bool:
    """Every part of the only upload is in storage, and the server knows that it is complete."""
    (video,) = api.videos.values()
    content = film.read_bytes()
    parts = {
        number + 1: Stored(len(part), hashlib.sha256(part).hexdigest())
        for number in range(-(-len(content) // api.part_size))
        if (part := content[number * api.part_size : (number + 1) * api.part_size])
    }
    return video["status"] == "PENDING" and api.storage.parts[video["video_id"]] == parts


def test_a_large_file_goes_in_parts(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    heard: list[int] = []
    threads: set[int] = set()

    def hear(sent: int) -> None:
        heard.append(sent)
        threads.add(threading.get_ident())

    client.upload(film, on_progress=hear)
    assert is_whole(in_parts, film)
    assert heard[-1] == 3_000_000
    assert heard == sorted(heard)
    assert threads == {threading.get_ident()}
    assert all(number == 1 for number in in_parts.storage.sent(next(iter(in_parts.videos))).values())


def test_addresses_are_asked_for_in_groups_just_ahead_of_need(
    in_parts: ApiEmulator, client: Client, film: Path
) -> None:
    client.upload(film, parallel=1)
    assert in_parts.signed == [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12]]


def test_huge_parts_are_hashed_and_signed_one_by_one(api: ApiEmulator, client: Client, tmp_path: Path) -> None:
    path = tmp_path / "big.mkv"
    with path.open("wb") as file:
        file.truncate(300 * MIB)
    api.part_size = 100 * MIB
    tracemalloc.start()
    client.upload(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MIB  # four lanes, and the emulator's pieces count too
    assert is_whole_sparse(api)
    assert sorted(api.signed) == [[1], [2], [3]]


def is_whole_sparse(api: ApiEmulator) -> bool:
    (parts,) = api.storage.parts.values()
    return [part.size for _, part in sorted(parts.items())] == [100 * MIB] * 3


def test_a_good_line_carries_more_and_more_parts_in_parallel(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    in_parts.part_size = PART // 2
    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.1))
    began = time.monotonic()
    client.upload(film, parallel_from=0)
    assert time.monotonic() - began < 2 * COUNT * 0.1
    assert is_whole(in_parts, film)
    lanes = [overlapping(in_parts, number) for number in range(1, 2 * COUNT)]
    assert lanes[:4] == [1, 1, 1, 1]
    assert max(lanes) == 4


def test_no_more_parts_are_under_way_than_were_asked_for(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.05))
    client.upload(film, parallel=2, parallel_from=0)
    assert {overlapping(in_parts, number) for number in range(1, COUNT + 1)} == {1, 2}


def test_a_line_that_breaks_carries_one_part_at_a_time(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    in_parts.faults.extend(Fault(f"PUT .*/{number}", CUT) for number in range(2, COUNT + 1, 2))
    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.05))
    client.upload(film, retries=QUICK, parallel_from=0)
    assert is_whole(in_parts, film)
    assert {overlapping(in_parts, number) for number in range(1, COUNT + 1)} == {1}


def test_one_part_goes_at_a_time_while_the_end_is_near(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.05))
    client.upload(film)
    assert {overlapping(in_parts, number) for number in range(1, COUNT + 1)} == {1}


def overlapping(api: ApiEmulator, number: int) -> int:
    """How many parts were under way when the last byte of part `number` came in."""
    moment = next(transfer.ended for transfer in api.storage.transfers if transfer.number == number)
    return sum(one.asked <= moment <= one.ended for one in api.storage.transfers)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT .*/5", CUT, after=PART // 3),
        Fault("PUT .*/5", CUT, times=7, after=100),
        Fault("PUT .*", CUT, times=6),
        Fault("PUT .*/12", DROP, times=3),
        Fault("PUT .*", 503, times=4, reason="SlowDown"),
        Fault("PUT .*/7", 400, reason="BadDigest"),
        Fault("PUT .*/7", 403, times=2, reason=EXPIRED),
        Fault("PUT .*/3", LOSE),
        Fault("GET .*upload/parts", 503, times=5),
        Fault("POST .*upload/parts", DROP, times=5),
        Fault("POST .*upload/parts", 429, times=2, headers={"Retry-After": "0.2"}),
        Fault("POST .*upload-complete", 409, body={"code": "PARTS_CHANGED", "detail": "Changed."}),
        Fault("POST .*upload/parts", 422, body={"code": "CHECKSUM_UNEXPECTED", "detail": "Another device was faster."}),
    ],
    ids=str,
)
def test_what_breaks_is_done_again_and_nothing_else(
    in_parts: ApiEmulator, client: Client, film: Path, fault: Fault
) -> None:
    heard: list[int] = []
    faults, in_parts.faults[:] = fault.times, [fault]
    client.upload(film, retries=QUICK, on_progress=heard.append)
    assert fault.times == 0
    assert is_whole(in_parts, film)
    assert max(heard) == heard[-1] == 3_000_000
    again = sum(in_parts.storage.sent(next(iter(in_parts.videos))).values()) - COUNT
    assert again <= faults


def test_an_expired_address_is_signed_anew_for_its_part_alone(
    in_parts: ApiEmulator, client: Client, film: Path
) -> None:
    in_parts.url_seconds = 10.6  # less the client's margin: 0.6
    in_parts.faults.append(Fault("PUT .*", SLOW, times=12, seconds=0.2))
    client.upload(film, parallel=1)
    assert is_whole(in_parts, film)
    assert len(in_parts.signed) > 2
    assert sum(in_parts.storage.sent(next(iter(in_parts.videos))).values()) == COUNT


def test_clocks_that_differ_cost_calls_only(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    in_parts.url_seconds = 5  # within the margin: as if the client's clock were fast
    client.upload(film)
    assert is_whole(in_parts, film)


def test_the_upload_gives_up_after_many_failures_without_any_progress(
    in_parts: ApiEmulator, client: Client, film: Path
) -> None:
    in_parts.faults.append(Fault("PUT .*/6", CUT, times=99, after=1000))
    with pytest.raises(Unavailable, match="goes on where it stopped") as caught:
        client.upload(film, retries=QUICK, parallel=1)
    assert caught.value.code == "UPLOAD_INTERRUPTED"
    tries = in_parts.storage.sent(next(iter(in_parts.videos)))
    assert tries == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: tries[6]}
    assert QUICK.tries <= tries[6] <= QUICK.tries + 2


def test_a_part_that_fails_holds_nobody_up_and_lives_on_the_progress_of_others(
    in_parts: ApiEmulator, client: Client, film: Path
) -> None:
    in_parts.part_size = PART // 8
    in_parts.faults.append(Fault("PUT .*/1", CUT, times=12, after=100))
    client.upload(film, retries=QUICK)
    assert is_whole(in_parts, film)
    assert next(iter(in_parts.storage.sent(next(iter(in_parts.videos))))) == 1


def test_what_no_retry_heals_stops_all_lanes_at_once(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    in_parts.part_size = PART // 4
    in_parts.faults.append(Fault("PUT .*/26", 403, seconds=0.3, reason="SignatureDoesNotMatch"))
    in_parts.faults.append(Fault("PUT .*/2[78]", SLOW, times=2, seconds=60))
    with pytest.raises(BiblioError, match="SignatureDoesNotMatch") as caught:
        client.upload(film, parallel_from=0)
    assert caught.value.code == "UPLOAD_REJECTED"
    calls = len(in_parts.storage.calls)
    time.sleep(0.5)
    assert len(in_parts.storage.calls) == calls


def test_parts_the_server_misses_at_the_end_are_sent_again(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    def lose_one(_sent: int) -> None:
        (parts,) = in_parts.storage.parts.values()
        if len(parts) == COUNT and not lost:
            lost.append(parts.pop(4))

    lost: list[Stored] = []
    in_parts.faults.append(Fault("PUT .*/12", SLOW, seconds=0.3))
    in_parts.faults.append(Fault("POST .*upload-complete", 409, body={"code": "PARTS_MISSING", "numbers": [4, 9]}))
    client.upload(film, on_progress=lose_one)
    assert is_whole(in_parts, film)
    assert in_parts.storage.sent(next(iter(in_parts.videos)))[9] == 2
    assert len(set(in_parts.keys)) == 1


def test_an_upload_storage_forgot_is_begun_again(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    def forget(sent: int) -> None:
        if sent > 1_000_000 and not forgotten:
            forgotten.extend(in_parts.storage.parts.popitem()[1])

    forgotten: list[int] = []
    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.15))
    client.upload(film, retries=QUICK, on_progress=forget)
    assert forgotten
    assert is_whole(in_parts, film)


@pytest.mark.parametrize(("status", "code"), [("PENDING", None), ("CANCELED", "UPLOAD_ENDED")])
def test_an_upload_that_ended_elsewhere_ends_here(
    in_parts: ApiEmulator, client: Client, film: Path, status: str, code: str | None
) -> None:
    def end(_sent: int) -> None:
        (video,) = in_parts.videos.values()
        if len(in_parts.storage.calls) > 4:
            video["status"] = status

    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.15))
    try:
        found: tuple[str, str | None] = client.upload(film, on_progress=end)["status"], None
    except Conflict as error:
        found = "CANCELED", error.code
    assert found == (status, code)


@pytest.mark.parametrize(
    "change",
    [
        lambda film: os.utime(film),
        lambda film: film.write_bytes(film.read_bytes() + b"more"),
        lambda film: os.truncate(film, 1_500_000),
    ],
    ids=["touched", "longer", "shorter"],
)
def test_a_file_that_changes_is_refused_and_its_upload_ended(
    in_parts: ApiEmulator, client: Client, film: Path, change: Callable[[Path], object]
) -> None:
    in_parts.faults.append(Fault("PUT .*", SLOW, times=99, seconds=0.2))

    def meddle(_sent: int) -> None:
        change(film)

    with pytest.raises(Conflict) as caught:
        client.upload(film, on_progress=meddle)
    assert caught.value.code == "FILE_CHANGED"
    assert [video["status"] for video in in_parts.videos.values()] == ["CANCELED"]


def test_no_thread_outlives_its_upload(in_parts: ApiEmulator, client: Client, film: Path) -> None:
    before = set(threading.enumerate())
    client.upload(film)
    deadline = time.monotonic() + 5
    while any("_lane" in thread.name for thread in set(threading.enumerate()) - before):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_call_has_its_method(in_parts: ApiEmulator, client: Client) -> None:
    video_id = client.create_video("a.mp4", 2 * PART)["video_id"]
    (second,) = client.sign_parts(video_id, [2])
    assert (second["number"], second["size"], second["method"]) == (2, PART, "PUT")
    assert client.upload_parts(video_id)["missing"] == [1, 2]
    assert client.upload_parts(video_id)["checksums"] is False
    assert client.cancel_upload(video_id) == {"video_id": video_id, "status": "CANCELED"}
    with pytest.raises(Conflict) as caught:
        client.upload_parts(video_id)
    assert caught.value.code == "UPLOAD_ENDED"
