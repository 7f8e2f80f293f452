"""Files that go to storage by one PUT."""

import hashlib
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.errors import BiblioError, Conflict, Rejected, Unavailable
from tests.client.conftest import QUICK
from tests.emulators.biblio_api import ApiEmulator
from tests.emulators.biblio_storage import Stored
from tests.emulators.faults import CUT, DROP, LOSE, SLOW, Fault


def digest(film: Path) -> str:
    return hashlib.sha256(film.read_bytes()).hexdigest()


def test_a_file_goes_to_storage_and_onto_the_road(api: ApiEmulator, client: Client, film: Path) -> None:
    heard: list[int] = []
    accepted = client.upload(film, language="ko", model="fast", on_progress=heard.append)
    video_id = accepted["video_id"]
    assert accepted == {
        "message": "Processing started",
        "video_id": video_id,
        "status": "PENDING",
        "check_status_url": f"/api/videos/{video_id}/status",
    }
    assert api.storage.objects[video_id] == Stored(3_000_000, digest(film))
    assert api.videos[video_id]["options"] == {"language": "ko", "model": "fast"}
    assert api.videos[video_id]["file_name"] == film.name
    assert api.videos[video_id]["sha256"] == digest(film)
    assert heard[-1] == 3_000_000
    assert heard == sorted(heard)


def test_storage_sees_the_signed_headers_and_never_the_key(api: ApiEmulator, client: Client, film: Path) -> None:
    client.upload(film)
    sent = {name.lower(): value for name, value in api.storage.headers.items()}
    assert sent["content-type"] == "video/mp4"
    assert sent["content-length"] == "3000000"
    assert sent["if-none-match"] == "*"
    assert "transfer-encoding" not in sent
    assert "authorization" not in sent


def test_a_big_file_is_never_in_memory(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "big.mkv"
    with path.open("wb") as file:
        file.truncate(100 * 1024**2)
    tracemalloc.start()
    client.upload(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024**2  # the emulator's pieces count too


@pytest.mark.parametrize("change", [b"more", b""])
def test_a_file_that_changes_while_it_is_sent_is_refused(
    api: ApiEmulator, client: Client, film: Path, change: bytes
) -> None:
    def meddle(_sent: int) -> None:
        with film.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(change) if change else file.truncate(1_500_000)

    with pytest.raises(Conflict) as caught:
        client.upload(film, on_progress=meddle)
    assert caught.value.code == "FILE_CHANGED"
    assert not any(call.endswith("upload-complete") for call in api.calls)
    assert [video["status"] for video in api.videos.values()] == ["CANCELED"]  # nothing may be joined to what is there


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT .*", CUT, times=3),
        Fault("PUT .*", DROP),
        Fault("PUT .*", 503, headers={"Retry-After": "0.1"}),
        Fault("PUT .*", 500, times=7, reason="InternalError"),
        Fault("PUT .*", 400, reason="RequestTimeout"),
        Fault("PUT .*", 400, reason="BadDigest"),
        Fault("PUT .*", LOSE),
        Fault("POST /api/videos", LOSE),
        Fault("POST /api/videos", 429, headers={"Retry-After": "0.1"}),
        Fault("POST .*upload-complete", 503, times=6),
        Fault("POST .*upload-complete", LOSE),
        Fault("GET /api/videos", 503, times=5),
    ],
    ids=str,
)
def test_what_breaks_is_done_again(api: ApiEmulator, client: Client, film: Path, fault: Fault) -> None:
    heard: list[int] = []
    api.faults.append(fault)
    video_id = client.upload(film, retries=QUICK, on_progress=heard.append)["video_id"]
    assert fault.times == 0
    assert list(api.videos) == [video_id]
    assert api.videos[video_id]["status"] == "PENDING"
    assert api.storage.objects[video_id].sha256 == digest(film)
    assert max(heard) == heard[-1] == 3_000_000


def test_storage_that_asks_for_patience_gets_it(api: ApiEmulator, client: Client, film: Path) -> None:
    api.faults.append(Fault("PUT .*", 503, headers={"Retry-After": "0.6"}, reason="SlowDown"))
    began = time.monotonic()
    client.upload(film, retries=QUICK)
    assert time.monotonic() - began >= 0.6


def test_an_answer_that_was_lost_is_found_by_its_key(api: ApiEmulator, client: Client, film: Path) -> None:
    api.faults.append(Fault("POST /api/videos", LOSE, times=2))
    client.upload(film)
    assert len(api.keys) == 3
    assert len(set(api.keys)) == 1
    client.upload(film)
    assert len(set(api.keys)) == 2


def test_an_upload_that_stays_broken_says_how_to_go_on(api: ApiEmulator, client: Client, film: Path) -> None:
    api.faults.append(Fault("PUT .*", DROP, times=99))
    with pytest.raises(Unavailable, match="goes on where it stopped") as caught:
        client.upload(film, retries=QUICK)
    assert caught.value.code == "UPLOAD_INTERRUPTED"
    assert "s3cr3t" not in caught.value.message
    assert not any(call.endswith("upload-complete") for call in api.calls)
    api.faults.clear()
    assert client.upload(film)["video_id"] == next(iter(api.videos))


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [(400, "EntityTooLarge", "UPLOAD_REJECTED"), (403, "SignatureDoesNotMatch", "UPLOAD_REJECTED")],
)
def test_what_no_retry_heals_is_told_at_once(
    api: ApiEmulator, client: Client, film: Path, status: int, reason: str, code: str
) -> None:
    api.faults.append(Fault("PUT .*", status, times=9, reason=reason))
    with pytest.raises(BiblioError, match=reason) as caught:
        client.upload(film)
    assert caught.value.code == code
    assert len(api.storage.calls) == 1


def test_an_expired_address_is_asked_for_again(api: ApiEmulator, client: Client, film: Path) -> None:
    api.url_seconds = 0.3
    api.faults.append(Fault("PUT .*", SLOW, seconds=0.5))
    assert client.upload(film)["status"] == "PENDING"
    assert len(api.storage.calls) == 2


def test_an_address_that_is_always_expired_says_so(api: ApiEmulator, client: Client, film: Path) -> None:
    api.url_seconds = -60
    with pytest.raises(Rejected, match="clocks") as caught:
        client.upload(film)
    assert caught.value.code == "UPLOAD_URL_EXPIRED"
    assert len(api.storage.calls) == 3


def test_what_is_there_already_is_completed(api: ApiEmulator, client: Client, film: Path) -> None:
    api.faults.append(Fault("PUT .*", DROP, times=99))
    with pytest.raises(Unavailable):
        client.upload(film, retries=QUICK)
    api.faults.clear()
    (video_id,) = api.videos
    api.storage.objects[video_id] = Stored(3_000_000, digest(film))  # by another device
    assert client.upload(film)["video_id"] == video_id
    assert not any(transfer.is_stored for transfer in api.storage.transfers)


def test_an_upload_that_an_event_completed_is_done(api: ApiEmulator, client: Client, film: Path) -> None:
    api.faults.append(Fault("PUT .*", LOSE))

    def complete(_sent: int) -> None:
        (video,) = api.videos.values()
        if video["video_id"] in api.storage.objects:
            video["status"] = "PENDING"

    assert client.upload(film, on_progress=complete, retries=QUICK)["status"] == "PENDING"


def test_an_object_that_storage_lost_is_sent_again(api: ApiEmulator, client: Client, film: Path) -> None:
    body = {"code": "OBJECT_MISSING", "detail": "Nothing has arrived."}
    api.faults.append(Fault("POST .*upload-complete", 409, body=body))
    assert client.upload(film)["status"] == "PENDING"
    assert len(api.storage.calls) == 2


def test_a_server_that_was_there_is_waited_for_and_another_is_not(api: ApiEmulator, client: Client, film: Path) -> None:
    client.upload(film)
    api.faults.append(Fault(".* /api/.*", DROP, times=9))
    assert client.upload(film)["status"] == "PENDING"
