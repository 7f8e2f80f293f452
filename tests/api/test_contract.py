"""The JSON of every answer, literally: it is a public contract."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from biblio.local.sample import TALK, TITLE
from tests.conftest import Server

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def talk(server: Server) -> str:
    with server.client() as client:
        video_id = client.upload(TALK, title=TITLE)["video_id"]
        assert client.wait(video_id, lambda _status: None)["status"] == "COMPLETED"
    return video_id


def create(http: httpx.Client, **changes: Any) -> httpx.Response:
    body = {"file_name": "lecture_01.mp4", "file_size": 104857600, "mime_type": "video/mp4", **changes}
    return http.post("/api/videos", json=body)


def test_create_video(http: httpx.Client) -> None:
    answer = create(http)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"video_id", "status", "upload"}
    assert re.fullmatch(UUID, body["video_id"])
    assert body["status"] == "UPLOADING"
    assert set(body["upload"]) == {"method", "url", "headers", "expires_at"}
    assert body["upload"]["method"] == "PUT"
    assert body["upload"]["headers"] == {"Content-Type": "video/mp4", "If-None-Match": "*"}
    assert re.fullmatch(MOMENT, body["upload"]["expires_at"])
    assert f"/videos/{body['video_id']}/original.mp4?" in body["upload"]["url"]
    assert "X-Amz-Expires=300" in body["upload"]["url"]
    assert "content-length" in body["upload"]["url"].lower()


def test_upload_complete_and_status(http: httpx.Client, tmp_path: Path) -> None:
    content = TALK.read_bytes()
    created = create(http, file_size=len(content), file_name="강의 1강.MP4").json()
    upload, video_id = created["upload"], created["video_id"]
    assert httpx.put(upload["url"], content=content, headers=upload["headers"]).status_code == 200
    answer = http.post(f"/api/videos/{video_id}/upload-complete")
    assert answer.status_code == 202
    assert answer.json() == {
        "message": "Processing started",
        "video_id": video_id,
        "status": "PENDING",
        "check_status_url": f"/api/videos/{video_id}/status",
    }
    again = http.post(f"/api/videos/{video_id}/upload-complete")
    assert again.status_code == 202
    status = http.get(f"/api/videos/{video_id}/status").json()
    about = {"video_id", "status", "progress", "step", "error", "updated_at"}
    assert set(status) == about | {"event_id", "seconds_left", "queue_position", "waiting_for"}
    assert http.delete(f"/api/videos/{video_id}").json() == {"video_id": video_id, "status": "DELETING"}
    assert http.get(f"/api/videos/{video_id}/status").status_code == 404


def test_status_of_a_completed_video(http: httpx.Client, talk: str) -> None:
    status = http.get(f"/api/videos/{talk}/status").json()
    assert re.fullmatch(MOMENT, status.pop("updated_at"))
    assert status.pop("event_id") > 0
    ended = {"video_id": talk, "status": "COMPLETED", "progress": 100, "step": None, "error": None}
    assert status == {**ended, "seconds_left": None, "queue_position": None, "waiting_for": None}


def test_transcript_is_the_specifications(http: httpx.Client, talk: str) -> None:
    body = http.get(f"/api/videos/{talk}/transcript").json()
    assert set(body) == {"results"}
    for segment in body["results"]:
        assert set(segment) == {"transcript", "start_time", "end_time"}
        assert isinstance(segment["transcript"], str)
        assert 0 <= segment["start_time"] <= segment["end_time"] <= 95
    assert body["results"][1]["transcript"] == "People forget what they hear."


def test_transcript_formats(http: httpx.Client, talk: str) -> None:
    srt = http.get(f"/api/videos/{talk}/transcript?format=srt").text
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\nThis is the story", srt)
    vtt = http.get(f"/api/videos/{talk}/transcript", params={"format": "vtt"})
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert vtt.text.startswith("WEBVTT\n\n00:00:")
    txt = http.get(f"/api/videos/{talk}/transcript", params={"format": "txt"}).text
    assert txt.splitlines()[1] == "People forget what they hear."
    assert http.get(f"/api/videos/{talk}/transcript", params={"format": "doc"}).status_code == 422


def test_detail(http: httpx.Client, talk: str) -> None:
    body = http.get(f"/api/videos/{talk}").json()
    listed = {"video_id", "title", "file_name", "file_size", "mime_type", "status", "progress", "step", "error"}
    assert set(body) == listed | {
        "language", "sha256", "duration", "created_at", "updated_at", "poster_url", "script", "meta_info",
        "options", "upload",
    }  # fmt: skip
    assert body["language"] == "en"
    assert body["duration"] == pytest.approx(93.3, abs=0.3)
    assert "People forget what they hear." in body["script"]
    assert body["meta_info"]["model"] == "base"


def test_list_by_cursor_and_rename(http: httpx.Client, talk: str) -> None:
    create(http)
    first = http.get("/api/videos", params={"limit": 1}).json()
    assert set(first) == {"videos", "next"}
    second = http.get("/api/videos", params={"limit": 100, "cursor": first["next"]}).json()
    assert second["next"] is None
    ids = [video["video_id"] for video in first["videos"] + second["videos"]]
    assert talk in ids
    assert len(ids) == len(set(ids))
    assert http.get("/api/videos", params={"cursor": "bm9uc2Vuc2U="}).json()["code"] == "INVALID_CURSOR"
    renamed = http.patch(f"/api/videos/{talk}", json={"title": "  기억하는 도서관  "})
    assert renamed.json()["title"] == "기억하는 도서관"
    assert http.patch(f"/api/videos/{talk}", json={"title": " "}).json()["code"] == "INVALID_TITLE"


def test_media_plays_by_ranges(http: httpx.Client, talk: str) -> None:
    media = http.get(f"/api/videos/{talk}/media").json()
    assert set(media) == {"video", "audio", "poster"}
    part = httpx.get(media["video"]["url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert httpx.get(media["audio"]["url"]).headers["content-type"] == "audio/mpeg"


def test_search(http: httpx.Client, talk: str) -> None:
    body = http.get("/api/search", params={"q": "When should I review my notes?"}).json()
    assert set(body) == {"query", "took_ms", "results", "next", "relaxed"}
    assert body["query"] == "When should I review my notes?"
    video = next(video for video in body["results"] if video["video_id"] == talk)
    assert set(video) == {"video_id", "title", "poster_url", "moments"}
    moment = video["moments"][0]
    assert set(moment) == {"start_time", "end_time", "text", "highlights", "score", "matched"}
    assert 80 <= moment["start_time"] <= 86
    words = {moment["text"][start:end].lower() for start, end in moment["highlights"]}
    assert {"review", "notes"} <= {word for words_ in words for word in words_.split()}


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_search_modes_and_one_video(http: httpx.Client, talk: str, mode: str) -> None:
    query = {"q": "spectrogram", "mode": mode, "video_id": talk, "limit": "1"}
    assert [video["video_id"] for video in http.get("/api/search", params=query).json()["results"]] == [talk]


def test_openapi_document_names_only_what_is_built(http: httpx.Client) -> None:
    paths = json.loads(http.get("/api/openapi.json").text)["paths"]
    assert set(paths) == {
        "/api/videos",
        "/api/videos/{video_id}",
        "/api/videos/{video_id}/upload/parts",
        "/api/videos/{video_id}/upload",
        "/api/videos/{video_id}/upload-complete",
        "/api/videos/{video_id}/status",
        "/api/videos/{video_id}/transcript",
        "/api/videos/{video_id}/media",
        "/api/videos/{video_id}/poster",
        "/api/videos/{video_id}/cancel",
        "/api/videos/{video_id}/reprocess",
        "/api/videos/{video_id}/events",
        "/api/videos/{video_id}/receipt",
        "/api/videos/{video_id}/similar",
        "/api/session",
        "/api/usage",
        "/api/search",
        "/api/search/suggest",
        "/api/storage-events",
        "/healthz",
        "/readyz",
        "/metrics",
    }


def test_health_needs_no_key(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{server.url}/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"]["ai worker"] == "ok"
