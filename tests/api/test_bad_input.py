"""What is wrong gets a 4xx problem with a stable code, and breaks nothing."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from biblio.local.sample import TALK
from tests.conftest import Server

TXT = b"this is no video, however long it goes on " * 10


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=30) as client:
        yield client


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"file_size": 0}, 422, "EMPTY_FILE"),
        ({"file_size": -5}, 422, "EMPTY_FILE"),
        ({"file_size": "12"}, 422, "INVALID_INPUT"),
        ({"file_size": 12.5}, 422, "INVALID_INPUT"),
        ({"file_size": 10**30}, 422, "INVALID_INPUT"),
        ({"file_size": 10**13}, 413, "FILE_TOO_LARGE"),
        ({"file_name": "notes.txt"}, 422, "UNSUPPORTED_FORMAT"),
        ({"file_name": "lecture"}, 422, "UNSUPPORTED_FORMAT"),
        ({"file_name": ""}, 422, "INVALID_FILE_NAME"),
        ({"file_name": "강" * 100 + ".mp4"}, 422, "INVALID_FILE_NAME"),
        ({"file_name": "a\x00b.mp4"}, 422, "INVALID_FILE_NAME"),
        ({"mime_type": "text/plain"}, 422, "UNSUPPORTED_TYPE"),
        ({"mime_type": "video/mp4\r\nX-Evil: 1"}, 422, "UNSUPPORTED_TYPE"),
        ({"options": {"language": "xx"}}, 422, "UNKNOWN_LANGUAGE"),
        ({"options": {"model": "enormous"}}, 422, "UNKNOWN_MODEL"),
        ({"options": {"colour": "red"}}, 422, "INVALID_INPUT"),
        ({"sha256": "abc"}, 422, "INVALID_SHA256"),
        ({"fingerprint": ""}, 422, "INVALID_INPUT"),
        ({"fingerprint": "지문"}, 422, "INVALID_INPUT"),
        ({"unknown": 1}, 422, "INVALID_INPUT"),
        ({"title": "x" * 501}, 422, "INVALID_TITLE"),
    ],
)
def test_create(http: httpx.Client, changes: dict[str, Any], status: int, code: str) -> None:
    body = {"file_name": "a.mp4", "file_size": 100, "mime_type": "video/mp4", **changes}
    problem(http.post("/api/videos", json=body), status, code)


def test_ten_megabytes_of_json(http: httpx.Client) -> None:
    huge = b'{"file_name": "' + b"a" * 10_000_000 + b'"}'
    problem(http.post("/api/videos", content=huge, headers={"Content-Type": "application/json"}), 413, "BODY_TOO_LARGE")

    def undeclared() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"[" * 10_000

    answer = http.post("/api/videos", content=undeclared(), headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"[1]", b"\xff\xfe", b"[" * 5000])
def test_no_json(http: httpx.Client, text: bytes) -> None:
    answer = http.post("/api/videos", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def begin(http: httpx.Client, size: int, name: str = "a.mp4") -> tuple[str, dict[str, Any]]:
    body = http.post("/api/videos", json={"file_name": name, "file_size": size, "mime_type": "video/mp4"}).json()
    return body["video_id"], body["upload"]


def test_missing_object(http: httpx.Client) -> None:
    video_id, _ = begin(http, 100)
    problem(http.post(f"/api/videos/{video_id}/upload-complete"), 409, "OBJECT_MISSING")


def test_wrong_size_and_wrong_type_are_refused_by_storage(http: httpx.Client) -> None:
    video_id, upload = begin(http, 100)
    assert httpx.put(upload["url"], content=b"x" * 99, headers=upload["headers"]).status_code == 403
    assert httpx.put(upload["url"], content=b"x" * 100, headers={"Content-Type": "text/html"}).status_code == 403
    problem(http.post(f"/api/videos/{video_id}/upload-complete"), 409, "OBJECT_MISSING")


def test_what_is_no_video(http: httpx.Client) -> None:
    video_id, upload = begin(http, len(TXT))
    assert httpx.put(upload["url"], content=TXT, headers=upload["headers"]).status_code == 200
    for _ in range(2):
        problem(http.post(f"/api/videos/{video_id}/upload-complete"), 422, "UNREADABLE_MEDIA")
    assert http.get(f"/api/videos/{video_id}/status").json()["status"] == "FAILED"


def test_keys(server: Server, http: httpx.Client) -> None:
    problem(httpx.get(f"{server.url}/api/videos"), 401, "KEY_MISSING")
    problem(httpx.get(f"{server.url}/api/videos", headers={"Authorization": "Bearer nonsense"}), 401, "KEY_UNKNOWN")


@pytest.mark.parametrize("video_id", ["nonsense", str(uuid.UUID(int=7)), "%00", "' OR 1=1 --", "A" * 500])
def test_unknown_video(http: httpx.Client, video_id: str) -> None:
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/status"),
        ("GET", "/transcript"),
        ("GET", "/media"),
        ("POST", "/upload-complete"),
    ):
        body = {"title": "x"} if method == "PATCH" else None
        answer = http.request(method, f"/api/videos/{video_id}{path}", json=body)
        assert answer.status_code == 404, (method, path, answer.text)


@pytest.mark.parametrize("query", ["fingerprint=%00", "fingerprint=", "cursor=%00", "status=%00", "acknowledged=x"])
def test_senseless_lists(http: httpx.Client, query: str) -> None:
    problem(http.get(f"/api/videos?{query}"), 422, "INVALID_CURSOR" if "cursor" in query else "INVALID_INPUT")


@pytest.mark.parametrize("question", ["", "   ", "\x00", "x" * 10_000])
def test_senseless_questions(http: httpx.Client, question: str) -> None:
    answer = http.get("/api/search", params={"q": question})
    assert answer.status_code == 422


@pytest.mark.parametrize("question", ["'", '"', "a & | !", "\\", "🎬", "'; DROP TABLE videos; --", ":*", "ㄷ", "((("])
def test_any_text_is_a_question(http: httpx.Client, question: str) -> None:
    assert http.get("/api/search", params={"q": question}).status_code == 200


def test_another_users_video_is_not_there(server: Server, http: httpx.Client) -> None:
    from biblio.bootstrap import build
    from biblio.settings import read_settings

    catalog = build(read_settings({}, defaults=server.addresses)).catalog
    with catalog.transaction() as tx:
        tx.users.give_key(tx.users.add(f"stranger-{uuid.uuid4()}"), "the-strangers-key")
    catalog.close()
    video_id, upload = begin(http, TALK.stat().st_size)
    httpx.put(upload["url"], content=TALK.read_bytes(), headers=upload["headers"])
    stranger = {"Authorization": "Bearer the-strangers-key"}
    with httpx.Client(base_url=server.url, headers=stranger) as other:
        for method, path in (
            ("GET", ""),
            ("GET", "/status"),
            ("GET", "/transcript"),
            ("GET", "/media"),
            ("DELETE", ""),
            ("POST", "/upload-complete"),
        ):
            problem(other.request(method, f"/api/videos/{video_id}{path}"), 404, "VIDEO_NOT_FOUND")
        problem(other.get("/api/search", params={"q": "x", "video_id": video_id}), 404, "VIDEO_NOT_FOUND")
        assert other.get("/api/videos").json() == {"videos": [], "next": None}
        assert other.get("/api/search", params={"q": "review my notes"}).json()["results"] == []
