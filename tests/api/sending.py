"""The calls of an upload, one by one."""

import os
from typing import Any

import httpx

from biblio.domain import keys
from tests.api.conftest import MIB, Api

FILE = b"\x00\x00\x00\x18ftypmp42" + os.urandom(20 * MIB)
PART = 8 * MIB


def create(http: httpx.Client, content: bytes = FILE, key: str | None = None, **changes: Any) -> httpx.Response:
    body = {"file_name": "강의.mp4", "file_size": len(content), **changes}
    return http.post("/api/videos", json=body, headers={"Idempotency-Key": key} if key else {})


def begin(http: httpx.Client, content: bytes = FILE, **changes: Any) -> str:
    answer = create(http, content, **changes)
    assert answer.status_code == 201, answer.text
    video_id: str = answer.json()["video_id"]
    return video_id


def sign(http: httpx.Client, video_id: str, numbers: list[int], **more: Any) -> list[dict[str, Any]]:
    answer = http.post(f"/api/videos/{video_id}/upload/parts", json={"numbers": numbers, **more})
    assert answer.status_code == 200, answer.text
    parts: list[dict[str, Any]] = answer.json()["parts"]
    return parts


def piece(number: int, content: bytes = FILE) -> bytes:
    return content[(number - 1) * PART : number * PART]


def send(http: httpx.Client, video_id: str, numbers: list[int], content: bytes = FILE, **more: Any) -> None:
    for part in sign(http, video_id, numbers, **more):
        answer = httpx.put(part["url"], content=piece(part["number"], content), headers=part["headers"])
        assert answer.status_code == 200, answer.text


def complete(http: httpx.Client, video_id: str, key: str | None = None) -> httpx.Response:
    return http.post(f"/api/videos/{video_id}/upload-complete", headers={"Idempotency-Key": key} if key else {})


def stored(api: Api, video_id: str) -> bytes:
    return b"".join(api.services.storage.read(keys.original(video_id, "mp4")))
