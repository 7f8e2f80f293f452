"""A store that speaks S3 as it was before the newer checksums, on a real socket, for boto3 itself to call.

It takes no checksum but Content-MD5, and demands that one where S3 demands a digest. Signatures are not looked at.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from typing import cast
from urllib.parse import parse_qs, urlsplit

from tests.emulators.faults import FaultyServer, Handler

CORS = "<CORSConfiguration><CORSRule><ID>other</ID></CORSRule></CORSConfiguration>"


class OlderStore(FaultyServer):
    """`sent` has the headers of every request, by `METHOD ?subject`; `sizes` those of its objects and parts."""

    def __init__(self) -> None:
        super().__init__(_Handler, [])
        self.sent: dict[str, dict[str, str]] = {}
        self.sizes: dict[str, int] = {}


@contextmanager
def older_store() -> Iterator[OlderStore]:
    server = OlderStore()
    with server.running():
        yield server


class _Handler(Handler):
    def answer_any(self) -> None:
        parts, store = urlsplit(self.path), cast(OlderStore, self.server)
        asked = parse_qs(parts.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        subjects = ("uploads", "partNumber", "uploadId", "delete", "cors", "list-type")
        subject = next((name for name in subjects if name in asked), "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        store.sent[f"{self.command} ?{subject}"] = headers
        refusal = self._refusal(subject, headers, body)
        if refusal:
            self.send(400, f"<Error><Code>{refusal}</Code></Error>".encode(), "application/xml")
            return
        if self.command == "PUT" and subject in ("", "partNumber") and parts.path.count("/") > 1:
            store.sizes[parts.path + subject + asked.get("partNumber", [""])[0]] = len(body)
        self.send(200, self._body(subject).encode(), "application/xml", {"ETag": f'"{md5(body).hexdigest()}"'})

    do_GET = do_HEAD = do_PUT = do_POST = answer_any

    def _refusal(self, subject: str, headers: dict[str, str], body: bytes) -> str | None:
        """The error's code, if any."""
        digest = base64.b64encode(md5(body, usedforsecurity=False).digest()).decode()
        is_digested = self.command in ("POST", "PUT") and subject in ("delete", "cors")
        if is_digested:
            return None if headers.get("content-md5") == digest else "MissingContentMD5"
        newer = [name for name in headers if re.match(r"x-amz-(checksum|sdk-checksum|trailer|decoded)", name)]
        return "NotImplemented" if newer or "aws-chunked" in headers.get("content-encoding", "") else None

    def _body(self, subject: str) -> str:
        if self.command == "HEAD":
            return ""
        if subject == "uploads" and self.command == "POST":
            return "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        if subject == "list-type":
            return "<ListBucketResult><Contents><Key>a/b</Key><Size>1</Size></Contents></ListBucketResult>"
        return CORS if subject == "cors" else "<Done></Done>"
