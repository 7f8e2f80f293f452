"""The JSON API of the emulated Google Cloud Storage: buckets, objects, uploads of the library."""

import base64
import json
import re
import secrets
from typing import Any

from tests.emulators.faults import FaultyServer, Handler
from tests.emulators.gcs_store import Bucket, Held, Refusal, Upload

PAGE = 1000


class JsonApi(Handler):
    """Each method answers one call. The bucket's lock is held."""

    body: bytes
    asked: dict[str, str]
    server: FaultyServer

    def make_bucket(self, buckets: dict[str, Bucket]) -> None:
        about = json.loads(self.body)
        if about["name"] in buckets:
            raise Refusal(409, "conflict", "Your previous request to create the named bucket succeeded.")
        if not self.asked.get("project"):
            raise Refusal(400, "required", "Required parameter: project")
        buckets[about["name"]] = Bucket(about["name"], about)
        self.answer(200, about)

    def bucket_call(self, bucket: Bucket) -> None:
        if self.command == "PATCH":
            bucket.about.update(json.loads(self.body))
            bucket.about = {name: value for name, value in bucket.about.items() if value is not None}
        self.answer(200, bucket.about)

    def list_objects(self, bucket: Bucket) -> None:
        prefix, after = self.asked.get("prefix", ""), base64.b64decode(self.asked.get("pageToken", "")).decode()
        names = sorted(name for name in bucket.objects if name.startswith(prefix) and name > after)
        size = min(PAGE, int(self.asked.get("maxResults", PAGE)))
        page: dict[str, Any] = {"items": [_about(bucket, name, bucket.objects[name]) for name in names[:size]]}
        if len(names) > size:
            page["nextPageToken"] = base64.b64encode(names[size - 1].encode()).decode()
        self.answer(200, page)

    def object_call(self, bucket: Bucket, key: str) -> None:
        held = bucket.find(key)
        bucket.require_generation(key, self.asked.get("ifGenerationMatch"))
        if self.command == "DELETE":
            del bucket.objects[key]
            self.send(204, b"", "application/json")
        elif self.asked.get("alt") == "media":
            self.send_object(held, {})
        else:
            self.answer(200, _about(bucket, key, held))

    def upload(self, bucket: Bucket) -> None:
        if self.command == "PUT":
            self._go_on(bucket, self.asked["upload_id"])
        elif self.asked["uploadType"] == "multipart":
            about, kind, content = _unpacked(self.body, self.headers["Content-Type"])
            self._store(bucket, Upload(about["name"], about.get("contentType", kind)), content, about.get("crc32c"))
        else:
            name, number = json.loads(self.body)["name"], secrets.token_hex(8)
            bucket.sessions[number] = Upload(name, self.headers["X-Upload-Content-Type"])
            place = self.path.partition("?")[0]
            url = f"{self.server.url}{place}?uploadType=resumable&upload_id={number}"
            self.send(200, b"", "application/json", {"Location": url})

    def _go_on(self, bucket: Bucket, number: str) -> None:
        session, piece = bucket.sessions[number], self.headers["Content-Range"]
        match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", piece)
        assert match
        assert match[1] is None or int(match[1]) == len(session.content), "no piece is sent twice or left out"
        session.content += self.body
        if match[3] == "*":
            assert len(self.body) % (256 * 1024) == 0, "all pieces but the last are multiples of 256 KiB"
            self.send(308, b"", "application/json", {"Range": f"bytes=0-{len(session.content) - 1}"})
        else:
            assert len(session.content) == int(match[3])
            del bucket.sessions[number]
            self._store(bucket, session, bytes(session.content), None)

    def _store(self, bucket: Bucket, upload: Upload, content: bytes, crc32c: str | None) -> None:
        if crc32c not in (None, Held(content, "", 0).crc32c):
            raise Refusal(400, "invalid", "Provided CRC32C doesn't match calculated CRC32C.")
        self.answer(200, _about(bucket, upload.key, bucket.put(upload.key, content, upload.content_type)))

    def send_object(self, held: Held, shown: dict[str, str]) -> None:
        content, about = held.content, {"x-goog-generation": str(held.generation), "ETag": held.etag, **shown}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self.send(200, content, held.content_type, about)
            return
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        if start >= len(content):
            raise Refusal(416, "InvalidRange")
        about["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self.send(206, content[start : end + 1], held.content_type, about)


def _about(bucket: Bucket, name: str, held: Held) -> dict[str, Any]:
    return {
        "kind": "storage#object",
        "name": name,
        "bucket": bucket.name,
        "generation": str(held.generation),
        "metageneration": "1",
        "contentType": held.content_type,
        "size": str(len(held.content)),
        "crc32c": held.crc32c,
    }


def _unpacked(body: bytes, content_type: str) -> tuple[dict[str, Any], str, bytes]:
    """What is said of an object, its type and its bytes, out of multipart/related."""
    boundary = re.sub(r'.*boundary="?([^"]+)"?.*', r"\1", content_type).encode()
    _, about, rest = body.split(b"--" + boundary + b"\r\n", 2)
    head, _, content = rest.partition(b"\r\n\r\n")
    kind = re.search(rb"content-type: *([^\r\n]+)", head, re.IGNORECASE)
    content = content.removesuffix(b"\r\n--" + boundary + b"--")
    return json.loads(about.partition(b"\r\n\r\n")[2]), kind[1].decode() if kind else "", content
