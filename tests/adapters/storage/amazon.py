"""Amazon's multipart uploads as SeaweedFS does not do them, on a real socket, for boto3 itself to call.

An upload is begun with checksums or without and then takes no part of the other kind; a part sent again replaces the
first; parts are listed in pages, with their checksums; and completing demands them. Signatures are not looked at.
"""

import os
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

PAGE = 2  # a thousand, there


class Part(NamedTuple):
    content: bytes
    etag: str
    checksum: str | None


@dataclass
class Amazon:
    """What it holds, and every call that was made ("POST", "uploads"). `kms`: etags are no MD5s. `drops_last`: objects
    lack their last part, and nobody says so."""

    kms: bool = False
    drops_last: bool = False
    calls: list[tuple[str, str]] = field(default_factory=list)
    begun: dict[str, bool] = field(default_factory=dict)  # with checksums?
    parts: dict[str, dict[int, Part]] = field(default_factory=dict)
    objects: dict[str, Part] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def etag(self, content: bytes) -> str:
        return os.urandom(16).hex() if self.kms else md5(content).hexdigest()

    def begin(self, *, checksums: bool) -> str:
        upload = f"upload-{next(self.numbers)}"
        self.begun[upload], self.parts[upload] = checksums, {}
        return f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"

    def put(self, upload: str, number: int, content: bytes, checksum: str | None) -> str | None:
        """The error's code, if any."""
        if (checksum is not None) != self.begun[upload]:
            return "InvalidRequest"
        if checksum is not None and checksum != b64encode(sha256(content).digest()).decode():
            return "BadDigest"
        self.parts[upload][number] = Part(content, self.etag(content), checksum)
        return None

    def listing(self, upload: str, after: int) -> str:
        later = sorted(number for number in self.parts[upload] if number > after)
        shown = "".join(_listed(number, self.parts[upload][number]) for number in later[:PAGE])
        truncated = str(len(later) > PAGE).lower()
        marker = f"<NextPartNumberMarker>{later[PAGE - 1]}</NextPartNumberMarker>" if len(later) > PAGE else ""
        return f"<ListPartsResult><IsTruncated>{truncated}</IsTruncated>{marker}{shown}</ListPartsResult>"

    def complete(self, key: str, upload: str, body: str) -> str | None:
        """The error's code, if any."""
        asked = re.findall(r"<Part>(.*?)</Part>", body, re.DOTALL)
        numbers = [int(_tag("PartNumber", part)) for part in asked]
        if numbers != sorted(set(numbers)):
            return "InvalidPartOrder"
        stored = [self.parts[upload].get(number) for number in numbers]
        found = [part for part in stored if part is not None]
        if [_tag("ETag", part).strip('"') for part in asked] != [part.etag for part in found]:
            return "InvalidPart"
        if [_tag("ChecksumSHA256", part) for part in asked] != [part.checksum or "" for part in found]:
            return "InvalidRequest"
        content = b"".join(part.content for part in (found[:-1] if self.drops_last else found))
        joined = b"".join(bytes.fromhex(part.etag) for part in found)
        self.objects[key] = Part(content, f"{self.etag(joined)}-{len(found)}", None)
        del self.begun[upload], self.parts[upload]
        return None


def _listed(number: int, part: Part) -> str:
    checksum = f"<ChecksumSHA256>{part.checksum}</ChecksumSHA256>" if part.checksum else ""
    when = "<LastModified>2026-11-23T12:00:00.000Z</LastModified>"
    named = f'<PartNumber>{number}</PartNumber><ETag>"{part.etag}"</ETag><Size>{len(part.content)}</Size>'
    return f"<Part>{named}{when}{checksum}</Part>"


def _tag(name: str, text: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    return found[1].replace("&quot;", '"') if found else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    amazon: Amazon

    def _answer(self, method: str) -> None:
        parts, amazon = urlsplit(self.path), self.amazon
        asked = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        about = next((name for name in ("uploads", "partNumber", "uploadId") if name in asked), "")
        amazon.calls.append((method, about))
        checksum, algorithm = (self.headers.get(f"x-amz-checksum-{name}") for name in ("sha256", "algorithm"))
        upload = asked.get("uploadId", "")
        if upload and upload not in amazon.begun:
            self._send(404, "<Error><Code>NoSuchUpload</Code></Error>")
        elif "uploads" in asked:
            self._send(200, amazon.begin(checksums=algorithm == "SHA256"))
        elif method == "PUT":
            self._conclude(amazon.put(upload, int(asked["partNumber"]), body, checksum))
        elif method == "POST":
            self._conclude(amazon.complete(parts.path, upload, body.decode()))
        elif method == "DELETE":
            del amazon.begun[upload], amazon.parts[upload]
            self._send(204)
        elif upload:
            self._send(200, amazon.listing(upload, int(asked.get("part-number-marker", 0))))
        else:
            self._head(amazon.objects.get(parts.path))

    def _conclude(self, error: str | None) -> None:
        self._send(400 if error else 200, f"<Error><Code>{error}</Code></Error>" if error else "<Done></Done>")

    def _head(self, found: Part | None) -> None:
        if found is None:
            self._send(404)
        else:
            kms = {"x-amz-server-side-encryption": "aws:kms"} if self.amazon.kms else {}
            self._send(200, "", {"ETag": f'"{found.etag}"', "Content-Length": str(len(found.content)), **kms})

    def _send(self, status: int, body: str = "", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def serving(amazon: Amazon) -> Iterator[str]:
    """Its endpoint."""
    handler = type("Handler", (_Handler,), {"amazon": amazon})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
