"""What the emulator of Google Cloud Storage holds."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import md5
from itertools import count
from typing import Any

import google_crc32c

SMALLEST_PART = 5 * 1024**2


class Refusal(Exception):
    """An answer that is an error. `reason` is the XML API's code, or the JSON API's reason."""

    def __init__(self, status: int, reason: str, message: str = "no") -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


@dataclass(frozen=True)
class Held:
    """An object. Those made of parts have no MD5."""

    content: bytes
    content_type: str
    generation: int
    is_composed: bool = False

    @cached_property
    def crc32c(self) -> str:
        return base64.b64encode(google_crc32c.value(self.content).to_bytes(4, "big")).decode()

    @cached_property
    def etag(self) -> str:
        """As the XML API shows it."""
        digest = md5(self.content, usedforsecurity=False).hexdigest()
        return f'"-{self.generation}"' if self.is_composed else f'"{digest}"'


@dataclass
class Upload:
    """Of parts (XML), or one that is resumed (JSON), whose bytes are in `content`."""

    key: str
    content_type: str
    parts: dict[int, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)


@dataclass
class Bucket:
    """`about` is its JSON. `drops_last`: objects lack their last part, and nobody says so."""

    name: str
    about: dict[str, Any]
    objects: dict[str, Held] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    sessions: dict[str, Upload] = field(default_factory=dict)
    drops_last: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(time.time_ns() // 1000))

    def find(self, key: str) -> Held:
        if key not in self.objects:
            raise Refusal(404, "NoSuchKey", f"No such object: {self.name}/{key}")
        return self.objects[key]

    def put(self, key: str, content: bytes, content_type: str, *, is_composed: bool = False) -> Held:
        held = Held(content, content_type or "application/octet-stream", next(self.numbers), is_composed)
        self.objects[key] = held
        return held

    def require_generation(self, key: str, wanted: str | None) -> None:
        """0 is that of an object that is not there."""
        held = self.objects.get(key)
        if wanted is not None and int(wanted) != (held.generation if held else 0):
            raise Refusal(412, "PreconditionFailed")

    def upload(self, key: str, upload_id: str) -> Upload:
        upload = self.uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise Refusal(404, "NoSuchUpload", "The requested upload was not found.")
        return upload

    def complete(self, key: str, upload_id: str, listed: list[tuple[int, str]]) -> Held:
        upload = self.upload(key, upload_id)
        numbers = [number for number, _ in listed]
        if numbers != sorted(set(numbers)):
            raise Refusal(400, "InvalidPartOrder")
        if not listed or any(etag_of(upload.parts.get(number)) != etag for number, etag in listed):
            raise Refusal(400, "InvalidPart" if listed else "MalformedCompleteMultipartUploadRequest")
        if any(len(upload.parts[number]) < SMALLEST_PART for number in numbers[:-1]):
            raise Refusal(400, "EntityTooSmall")
        kept = numbers[:-1] if self.drops_last else numbers
        held = self.put(key, b"".join(upload.parts[one] for one in kept), upload.content_type, is_composed=True)
        del self.uploads[upload_id]
        return held


def etag_of(part: bytes | None) -> str | None:
    return None if part is None else f'"{md5(part, usedforsecurity=False).hexdigest()}"'
