"""A client of the raw HTTP API, which does in any order what a client should do, and what it should not."""

import hashlib
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tests.chaos.place import BEGINNING, EVENT_SECRET, MIB, Place

SMALL = BEGINNING + bytes(range(256)) * 16
"""Goes by one PUT."""
ONE_PART = BEGINNING + random.Random(1).randbytes(5 * MIB)
"""Comes in parts, of which there is one."""
PART = 8 * MIB
TWO_PARTS = BEGINNING + random.Random(2).randbytes(PART)
"""The second part has the last few bytes."""
THREE_PARTS = BEGINNING + random.Random(3).randbytes(2 * PART)

Answer = TypeVar("Answer")


@dataclass
class Sender:
    """`api` is a URL. One HTTP client for all threads."""

    place: Place
    api: str

    def __post_init__(self) -> None:
        self.http = self.place.http(self.api)
        self.storage = httpx.Client(timeout=60, trust_env=False)

    def announce(self, size: int, file_name: str = "강의.mp4", **more: Any) -> dict[str, Any]:
        """The API's answer to a new video."""
        return body(self.http.post("/api/videos", json={"file_name": file_name, "file_size": size, **more}), 201)

    def send(self, content: bytes) -> str:
        """The id of a video whose bytes are all in storage, of which nobody was told."""
        created = self.announce(len(content))
        video_id: str = created["video_id"]
        if created["upload"]["method"] == "MULTIPART":
            self.put_parts(video_id, content)
        else:
            assert self.put(created["upload"], content).status_code == 200
        return video_id

    def sign(self, video_id: str, numbers: Iterable[int], sha256: Mapping[int, str] | None = None) -> dict[int, Any]:
        """Signed parts by number."""
        asked = {"numbers": list(numbers), **({"sha256": sha256} if sha256 else {})}
        return {part["number"]: part for part in body(self.post(video_id, "upload/parts", json=asked), 200)["parts"]}

    def put_parts(self, video_id: str, content: bytes, numbers: Iterable[int] | None = None) -> dict[int, Any]:
        """Sends the parts in that order (or all); what they were signed with."""
        wanted = list(numbers) if numbers else list(range(1, -(-len(content) // PART) + 1))
        signed = self.sign(video_id, set(wanted))
        for number in wanted:
            assert self.put(signed[number], piece(content, number)).status_code == 200
        return signed

    def put(self, signed: Mapping[str, Any], content: bytes) -> httpx.Response:
        return self.storage.put(signed["url"], content=content, headers=signed["headers"])

    def complete(self, video_id: str, **more: Any) -> httpx.Response:
        return self.post(video_id, "upload-complete", **more)

    def abort(self, video_id: str) -> httpx.Response:
        return self.http.delete(f"/api/videos/{video_id}/upload")

    def post(self, video_id: str, path: str, **more: Any) -> httpx.Response:
        return self.http.post(f"/api/videos/{video_id}/{path}", **more)

    def get(self, video_id: str, path: str) -> httpx.Response:
        return self.http.get(f"/api/videos/{video_id}/{path}")

    def event(self, video_id: str) -> httpx.Response:
        """What S3 says when an object has come."""
        key, bucket = self.place.video(video_id).key, self.place.bucket
        where = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1, "eTag": "0"}}
        record = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": where}
        bearer = {"Authorization": f"Bearer {EVENT_SECRET}"}
        return self.storage.post(f"{self.api}/api/storage-events", json={"Records": [record]}, headers=bearer)

    def close(self) -> None:
        self.http.close()
        self.storage.close()


def body(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    given: dict[str, Any] = answer.json()
    return given


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["code"]


def piece(content: bytes, number: int) -> bytes:
    return content[(number - 1) * PART : number * PART]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def at_once(*works: Callable[[], Answer]) -> list[Answer]:
    """The answers of all, begun at the same instant, each in a thread of its own."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], Answer]) -> Answer:
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))
