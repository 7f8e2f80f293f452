"""Google Cloud Storage on a real socket: its JSON API and its XML API, for Google's own library to call.

It demands tokens and checks V4 signatures with the key of a service account that is made anew each time, with expiry,
length, type, payload hash and preconditions; and it misbehaves on order. What it knows of the real one stands in
Google's documentation; it was never held beside it.
"""

import base64
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.emulators.faults import CUT, DROP, LOSE, Fault, FaultyServer
from tests.emulators.gcs_accounts import Account, check_signature
from tests.emulators.gcs_store import Bucket, Refusal
from tests.emulators.gcs_xml import XmlApi

BUCKET = "biblio-video-store"
SUBJECTS = ("uploads", "partNumber", "uploadId", "uploadType", "alt")
"""Parameters that tell calls of the same path apart; in `calls` and the patterns of faults they follow a `?`."""


class Gcs(FaultyServer):
    """`address` is what a program in any process on this machine needs: it names a key file in a folder of its own."""

    def __init__(self, folder: Path, faults: list[Fault]) -> None:
        super().__init__(_Handler, faults)
        self.account = Account()
        self.key_file = self.account.write_key_file(folder, self.url)
        self.buckets: dict[str, Bucket] = {}

    @property
    def address(self) -> str:
        return self.address_of(BUCKET)

    def address_of(self, bucket: str) -> str:
        return f"gs://{bucket}?project=lectures&credentials={self.key_file}&endpoint={self.url}"


@contextmanager
def running_gcs(faults: Sequence[Fault] = ()) -> Iterator[Gcs]:
    with tempfile.TemporaryDirectory() as folder:
        server = Gcs(Path(folder), list(faults))
        with server.running():
            yield server


class _Handler(XmlApi):
    disable_nagle_algorithm = True
    wbufsize = -1
    cut = False
    reply: tuple[int, bytes, str, dict[str, str]] | None = None

    @property
    def gcs(self) -> Gcs:
        return cast(Gcs, self.server)

    def answer_any(self) -> None:
        parts = urlsplit(self.path)
        self.asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        subject = next((name for name in SUBJECTS if name in self.asked), None)
        fault = self.gcs.fault_for(f"{self.command} {unquote(parts.path)}" + (f"?{subject}" if subject else ""))
        self.losing = fault is not None and fault.status == LOSE
        self.cut = fault is not None and fault.status == CUT
        self.reply = None
        if fault and fault.status == DROP:
            self.close_connection = True
        elif fault and fault.status not in (LOSE, CUT):
            self.refuse(Refusal(fault.status, fault.reason), fault.headers)
        else:
            self._do(parts.path, parts.query)
        self._transmit()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = answer_any

    def _do(self, path: str, query: str) -> None:
        try:
            with self.gcs.lock:
                self._route(path, query)
        except Refusal as refusal:
            self.refuse(refusal)

    def _route(self, path: str, query: str) -> None:
        if path == "/token":
            token = self.gcs.account.grant(dict(parse_qsl(self.body.decode())))
            issued = "urn:ietf:params:oauth:token-type:access_token"
            about = {"access_token": token, "expires_in": 3600, "token_type": "Bearer", "issued_token_type": issued}
            self.answer(200, about)
        elif path.endswith(":signBlob"):
            self._require_token()
            signed = self.gcs.account.sign(base64.b64decode(json.loads(self.body)["payload"]))
            self.answer(200, {"keyId": "1", "signedBlob": base64.b64encode(signed).decode()})
        elif path.startswith(("/storage/v1/", "/download/storage/v1/", "/upload/storage/v1/")):
            self._require_token()
            self._json(path)
        else:
            self._xml(path, query)

    def _json(self, path: str) -> None:
        places = path.partition("/storage/v1/b")[2].split("/")
        if len(places) == 1:
            self.make_bucket(self.gcs.buckets)
            return
        bucket = self._bucket(places[1])
        if len(places) == 2:
            self.bucket_call(bucket)
        elif path.startswith("/upload/"):
            self.upload(bucket)
        elif len(places) == 3:
            self.list_objects(bucket)
        else:
            self.object_call(bucket, unquote(places[3]))

    def _xml(self, path: str, query: str) -> None:
        _, name, *rest = path.split("/", 2)
        bucket, key = self._bucket(name), unquote("".join(rest))
        if self.command == "OPTIONS":
            self.preflight(bucket)
            return
        if "Authorization" in self.headers:
            self._require_token()
        else:
            method = "GET" if self.command == "HEAD" else self.command
            check_signature(self.gcs.account, method, path, query, dict(self.headers.items()))
        if not key:
            self.list_uploads(bucket)
        else:
            self._object_call(bucket, key)

    def _object_call(self, bucket: Bucket, key: str) -> None:
        is_upload = "uploadId" in self.asked
        calls: dict[str, Callable[[Bucket, str], None]] = {
            "GET": self.list_parts if is_upload else self.get_object,
            "HEAD": self.get_object,
            "PUT": self.put_part if is_upload else self.put_object,
            "POST": self.complete if is_upload else self.begin,
            "DELETE": self.abort,
        }
        calls[self.command](bucket, key)

    def _bucket(self, name: str) -> Bucket:
        if name not in self.gcs.buckets:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist.")
        return self.gcs.buckets[name]

    def _require_token(self) -> None:
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.gcs.account.tokens:
            raise Refusal(401, "authError", "Invalid Credentials")

    def refuse(self, refusal: Refusal, headers: dict[str, str] | None = None) -> None:
        """As the API that was called says it."""
        if self.path == "/token":
            body = json.dumps({"error": refusal.reason, "error_description": refusal.message})
        elif self.path.startswith(("/storage/", "/upload/", "/v1/")):
            errors = [{"reason": refusal.reason, "message": refusal.message}]
            body = json.dumps({"error": {"code": refusal.status, "message": refusal.message, "errors": errors}})
        elif self.path.startswith("/download/"):
            body = refusal.message
        else:
            body = f"<Error><Code>{refusal.reason}</Code><Message>{escape(refusal.message)}</Message></Error>"
        self.send(refusal.status, body.encode(), "application/json" if body[0] == "{" else "application/xml", headers)

    def send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        """Kept until the lock is given back: whoever reads slowly holds up nobody else."""
        bucket = self.gcs.buckets.get(self.path.split("/")[1].partition("?")[0])
        rules = self.allowed(bucket, self.command) if bucket else {}
        self.reply = (status, body, kind, {"Content-Length": str(len(body)), **rules, **(headers or {})})

    def _transmit(self) -> None:
        if self.reply is None:
            return
        status, body, kind, headers = self.reply
        if self.cut:
            self.close_connection, body = True, body[: len(body) // 2]
        super().send(status, b"" if self.command == "HEAD" else body, kind, headers)
