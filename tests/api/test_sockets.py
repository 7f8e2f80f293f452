"""The live sockets: what they tell, in which order, to whom, and how they end."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure
from biblio.entrypoints.api.feed import MOST_SOCKETS
from biblio.pipeline.upload import NewVideo, begin_upload
from tests.api.conftest import Api, log_of, running_api

SECONDS = 10.0
EVENT = {"video_id", "status", "progress", "step", "error", "updated_at", "event_id", "kind", "detail"}
ALL = "/api/events"


@pytest.fixture
def mine(api: Api) -> str:
    return new_video(api)


@pytest.fixture
def stranger(api: Api) -> Iterator[httpx.Client]:
    with api.stranger() as http:
        yield http


def test_every_change_is_a_message(api: Api, mine: str) -> None:
    before = log(api)[-1]["event_id"]
    with opened(api, f"{ALL}?after={before}") as socket:
        change(api, mine, status=Status.PENDING)
        change(api, mine, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=10)
        change(api, mine, title="새 제목")
        change(api, mine, status=Status.FAILED, failure=Failure(Step.TRANSCRIBE, "CODE", "문장."))
        told = take(socket, 4)
    assert told == log(api, before)
    assert set(told[0]) == EVENT
    assert [one["kind"] for one in told] == ["status", "status", "title", "status"]
    assert told[1]["step"] == "transcribe"
    assert told[3]["error"] == {"step": "transcribe", "code": "CODE", "message": "문장."}


def test_the_log_is_told_from_any_point_on(api: Api) -> None:
    """More than one reading takes."""
    video_id = new_video(api)
    for progress in range(1, 100):
        change(api, video_id, progress=progress)
        change(api, mine_too := video_id, status=Status.PENDING)
    everything = log(api)
    for after in (0, 1, len(everything) // 2, len(everything)):
        with opened(api, f"{ALL}?after={after}") as socket:
            change(api, mine_too, progress=100)
            everything = log(api)
            assert take(socket, len(everything) - after) == everything[after:]


def test_without_a_point_it_goes_on_from_now(api: Api, mine: str) -> None:
    last = log(api)[-1]["event_id"]
    with opened(api, ALL) as socket:
        assert socket.response is not None
        assert socket.response.headers["Last-Event-Id"] == str(last)
        change(api, mine, progress=7)
        assert take(socket, 1) == log(api, last)


def test_a_video_s_socket_begins_with_how_it_stands(api: Api, mine: str) -> None:
    change(api, mine, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=40)
    new_video(api)
    newest = log(api, video_id=mine)[-1]
    with opened(api, live(mine)) as socket:
        assert told_of(take(socket, 1)) == [newest]
        new_video(api)
        change(api, mine, status=Status.EMBEDDING, step=Step.EMBED, progress=85)
        assert told_of(take(socket, 1)) == log(api, newest["event_id"], video_id=mine)


def test_a_video_s_socket_tells_the_log_after_a_point(api: Api, mine: str) -> None:
    for progress in range(1, 10):
        change(api, mine, progress=progress)
        new_video(api)
    with opened(api, live(mine) + "?after=0") as socket:
        told = take(socket, 10)
    assert told_of(told) == log(api, video_id=mine)
    assert {message["queue_position"] for message in told[:-1]} == {None}


def test_the_queue_is_told_while_a_worker_is_waited_for(api: Api) -> None:
    first, second = waiting_video(api), waiting_video(api)
    with opened(api, live(second)) as socket:
        place = take(socket, 1)[0]["queue_position"]
        with api.services.catalog.transaction() as tx:
            tx.videos.update(first, status=Status.CANCELED, generation=2)  # its job is void
        again = take(socket, 1)[0]
        assert (again["queue_position"], again["status"]) == (place - 1, "PENDING")
        assert told_of([again]) == log(api, video_id=second)[-1:]


def test_deleting_ends_a_video_s_sockets(api: Api, mine: str) -> None:
    last = log(api)[-1]["event_id"]
    with opened(api, live(mine)) as board, opened(api, live(mine) + f"?after={last}") as log_of_it:
        take(board, 1)
        assert api.http.delete(f"/api/videos/{mine}").status_code == 202
        for socket in (board, log_of_it):
            assert take(socket, 1)[0]["status"] == "DELETING"
            assert ending(socket) == (4410, "The video was deleted.")
    with opened(api, live(mine) + f"?after={last}") as late:
        assert take(late, 1)[0]["status"] == "DELETING"
        assert ending(late)[0] == 4410
    assert refusal(api, live(mine)) == (404, "VIDEO_NOT_FOUND")
    assert refusal(api, live(mine) + f"?after={log(api)[-1]['event_id']}") == (404, "VIDEO_NOT_FOUND")


def test_what_is_not_theirs_is_not_there(api: Api, mine: str, stranger: httpx.Client) -> None:
    for path in (live(mine), live(mine) + "?after=0", live(str(uuid4())), live("no-id"), live("no-id") + "?after=0"):
        assert refusal(api, path, stranger) == (404, "VIDEO_NOT_FOUND")


def test_nobody_hears_of_another_user(api: Api, stranger: httpx.Client) -> None:
    theirs = stranger.post("/api/videos", json={"file_name": "theirs.mp4", "file_size": 9}).json()["video_id"]
    with opened(api, ALL + "?after=0", stranger) as socket:
        assert [one["video_id"] for one in take(socket, 1)] == [theirs]
        new_video(api)
        stranger.patch(f"/api/videos/{theirs}", json={"title": "theirs"})
        assert [one["video_id"] for one in take(socket, 1)] == [theirs]
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.5)


@pytest.mark.parametrize("after", ["-1", "1.5", "x", "", "9" * 40, str(2**63), "１"])
def test_a_point_that_is_none_is_refused(api: Api, after: str) -> None:
    assert refusal(api, f"{ALL}?after={after}") == (422, "INVALID_EVENT_ID")


def test_a_point_that_is_not_reached_is_refused(api: Api, mine: str) -> None:
    for path in (ALL, live(mine)):
        assert refusal(api, f"{path}?after={2**62}") == (422, "UNKNOWN_EVENT")


def test_keys(api: Api, mine: str) -> None:
    for path in (ALL, live(mine)):
        assert refusal(api, path, headers={}) == (401, "KEY_MISSING")
        assert refusal(api, path, headers={"Authorization": "Bearer nobody"}) == (401, "KEY_UNKNOWN")
        assert refusal(api, path, headers={}, subprotocols=["biblio", "key.nobody"]) == (401, "KEY_UNKNOWN")


def test_a_browser_s_key(api: Api, mine: str) -> None:
    protocols = ["biblio", f"key.{key_of(api.http)}"]
    with opened(api, live(mine), headers={}, subprotocols=protocols) as socket:
        assert socket.subprotocol == "biblio"
        assert take(socket, 1)[0]["video_id"] == mine


def test_what_a_client_says_is_dropped_and_bounded(api: Api, mine: str) -> None:
    with opened(api, ALL) as socket:
        for _ in range(100):
            socket.send("hello")
            socket.send(b"\x00" * 4096)
        change(api, mine, progress=3)
        assert take(socket, 1)[0]["progress"] == 3
        socket.send("x" * 4097)
        assert ending(socket)[0] == 1009


def test_a_user_has_so_many_sockets(api: Api, stranger: httpx.Client) -> None:
    sockets = [opened(api, ALL, stranger) for _ in range(MOST_SOCKETS)]
    for socket in sockets:
        socket.__enter__()
    assert refusal(api, ALL, stranger) == (429, "TOO_MANY_SOCKETS")
    with opened(api, ALL):
        pass
    for socket in sockets:
        socket.__exit__(None, None, None)
    deadline = time.monotonic() + SECONDS
    while refusal(api, ALL, stranger) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert refusal(api, ALL, stranger) is None


def test_a_server_that_stops_says_so_at_once(addresses: Mapping[str, str]) -> None:
    with ExitStack() as server, ExitStack() as clients:
        api = server.enter_context(running_api(addresses))
        sockets = [clients.enter_context(opened(api, ALL)) for _ in range(5)]
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < SECONDS
        assert {ending(socket)[0] for socket in sockets} == {1012}


def new_video(api: Api) -> str:
    with api.services.catalog.transaction() as tx:
        video, _ = begin_upload(api.services, tx, api.user_id, NewVideo("강의.mp4", 9))
    return video.id


def waiting_video(api: Api) -> str:
    video_id = new_video(api)
    with api.services.catalog.transaction() as tx:
        tx.videos.update(video_id, status=Status.PENDING)
        tx.jobs.request(tx.videos.get(video_id), Step.EXTRACT)
    return video_id


def change(api: Api, video_id: str, **changes: Any) -> None:
    with api.services.catalog.transaction() as tx:
        tx.videos.update(video_id, **changes)


def live(video_id: str) -> str:
    return f"/api/videos/{video_id}/status/ws"


def log(api: Api, after: int = 0, video_id: str | None = None) -> list[dict[str, Any]]:
    return log_of(api.services, api.user_id, after, video_id)


def told_of(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what is about the future."""
    assert all(set(message) == EVENT | {"seconds_left", "queue_position", "waiting_for"} for message in messages)
    return [{name: message[name] for name in message if name in EVENT} for message in messages]


def key_of(http: httpx.Client) -> str:
    return http.headers["Authorization"].removeprefix("Bearer ")


@contextmanager
def opened(
    api: Api,
    path: str,
    http: httpx.Client | None = None,
    headers: dict[str, str] | None = None,
    subprotocols: list[str] | None = None,
) -> Iterator[ClientConnection]:
    url = str(api.http.base_url).rstrip("/").replace("http", "ws", 1) + path
    given = headers if headers is not None else {"Authorization": (http or api.http).headers["Authorization"]}
    offered = [Subprotocol(one) for one in subprotocols] if subprotocols else None
    with connect(url, additional_headers=given, subprotocols=offered, proxy=None, legacy=True) as socket:
        yield socket


def take(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(socket.recv(timeout=SECONDS)) for _ in range(count)]


def ending(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=SECONDS)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def refusal(api: Api, path: str, http: httpx.Client | None = None, **options: Any) -> tuple[int, str] | None:
    """The status and code of the problem that answers the handshake; None when it goes well."""
    try:
        with opened(api, path, http, **options):
            return None
    except InvalidStatus as refused:
        answer: Response = refused.response
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = json.loads(answer.body or b"")
    assert body["status"] == answer.status_code
    return body["status"], body["code"]
