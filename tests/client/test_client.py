"""The client against the API emulator: a real socket on both ends."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.client.source import file_name_of
from biblio.errors import (
    BiblioError,
    Conflict,
    InvalidInput,
    Misconfigured,
    NotFound,
    NotPermitted,
    RateLimited,
    Rejected,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from tests.emulators.biblio_api import KEY, ROAD, ApiEmulator
from tests.emulators.faults import DROP, Fault


def test_waiting_hears_every_change_and_ends(client: Client, film: Path) -> None:
    heard: list[str] = []
    last = client.wait(client.upload(film)["video_id"], lambda status: heard.append(status["status"]))
    assert last["status"] == "COMPLETED"
    assert heard == list(ROAD[1:])


def test_waiting_survives_a_restart_of_the_server(api: ApiEmulator, client: Client, film: Path) -> None:
    def trouble(status: object) -> None:
        if len(api.faults) == 0:
            api.faults += [Fault("GET .*", DROP, times=5), Fault("GET .*", 429, headers={"Retry-After": "0.1"})]

    assert client.wait(client.upload(film)["video_id"], trouble)["status"] == "COMPLETED"


def test_a_failed_video_ends_the_waiting_with_its_reason(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    path.write_bytes(b"film")
    last = client.wait(client.upload(path)["video_id"])
    assert last["status"] == "FAILED"
    assert last["error"] == {"step": "extract", "code": "NO_AUDIO_TRACK", "message": "The file has no sound track."}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, Unauthenticated),
        (403, NotPermitted),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (418, Rejected),
        (422, InvalidInput),
        (429, RateLimited),
        (500, Unavailable),
    ],
)
def test_answers_become_errors(api: ApiEmulator, client: Client, status: int, kind: type[BiblioError]) -> None:
    api.faults.append(Fault("GET .*", status, 9, {"Retry-After": "7"}, {"code": "A_CODE", "detail": "A sentence."}))
    with pytest.raises(kind) as caught:
        client.video("x")
    assert (caught.value.code, caught.value.message) == ("A_CODE", "A sentence.")
    assert caught.value.details.get("retry_after") == (7.0 if status == 429 else None)


def test_questions_are_asked_again_but_orders_are_not(api: ApiEmulator, client: Client) -> None:
    api.faults.append(Fault(".*", 503, times=2))
    assert list(client.videos()) == []
    api.faults.append(Fault(".*", DROP))
    assert list(client.videos()) == []
    api.faults.append(Fault(".*", 503))
    with pytest.raises(Unavailable):
        client.create_video("a.mp4", 1)
    assert sum(call.startswith("POST") for call in api.calls) == 1


def test_nobody_at_home_says_how_to_start() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with Client(url, KEY) as client, pytest.raises(Unavailable, match="biblio up") as caught:
            client.video("x")
    assert caught.value.code == "SERVER_UNREACHABLE"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="BIBLIO_URL"):
        Client(url, KEY)


def test_something_else_at_the_address_is_told(api: ApiEmulator, client: Client, film: Path) -> None:
    video_id = client.upload(film)["video_id"]
    with pytest.raises(Rejected, match="not biblio"):
        client._get(f"/api/videos/{video_id}/transcript", format="txt")


def test_the_library(api: ApiEmulator, client: Client, film: Path) -> None:
    first, second, third = (client.upload(film)["video_id"] for _ in range(3))
    assert [video["video_id"] for video in client.videos(page_size=2)] == [first, second, third]
    client.wait(first)
    assert [video["video_id"] for video in client.videos(status="COMPLETED")] == [first]
    assert client.rename(first, "새 제목")["title"] == "새 제목"
    assert client.media(first)["audio"] is None
    assert client.transcript(first, "srt").startswith("1\n00:12:34,200 --> ")
    found = client.search("트랜잭션", limit=3, mode="hybrid")["results"][0]["moments"][0]
    start, end = found["highlights"][0]
    assert found["text"][start:end] == "트랜잭션"
    assert found["matched"] == ["words", "meaning"]
    assert client.suggest("트랜", limit=1) == ["트랜잭션"]
    similar = client.similar(first, 754.2)
    assert (similar["time"], similar["results"][0]["video_id"]) == (754.2, first)
    client.delete(first)
    with pytest.raises(NotFound):
        client.status(first)


def test_a_name_is_sent_as_unicode_has_it() -> None:
    decomposed = unicodedata.normalize("NFD", "강의.mp4")
    assert file_name_of(Path("a") / decomposed) == "강의.mp4" != decomposed
    assert file_name_of(Path(os.fsdecode(b"lecture\xff.mp4"))) == "lecture\ufffd.mp4"
