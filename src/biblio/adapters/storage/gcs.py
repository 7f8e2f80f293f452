"""Google Cloud Storage: `gs://bucket?project=…&credentials=…&endpoint=…&public_endpoint=…&origins=…`.

An object's etag is its generation, a number that Google gives to every write and asks for nowhere else than in its
preconditions.
"""

import io
import re
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, BinaryIO
from urllib.parse import quote

from google.cloud.storage import Blob, Client
from requests import Response

from biblio.adapters.storage.file_names import attachment
from biblio.adapters.storage.gcs_bucket import make_bucket, require_bucket, require_origins, set_origins
from biblio.adapters.storage.gcs_client import GcsOptions, Reach, open_reach
from biblio.adapters.storage.gcs_errors import translated
from biblio.adapters.storage.gcs_inventory import GcsInventory
from biblio.adapters.storage.gcs_multipart import GcsMultipartUploads, bound
from biblio.adapters.storage.gcs_xml import XmlApi, refuse
from biblio.adapters.storage.prefixes import is_meant
from biblio.dsn import Dsn
from biblio.errors import Conflict, InvalidInput, Misconfigured, NotFound, Rejected, Unavailable
from biblio.ports.inventory import Inventory
from biblio.ports.multipart import MultipartUploads
from biblio.ports.storage import SignedRequest, Storage, StoredObject

PIECE = 1024**2
PART = 8 * 1024**2
AT_ONCE = 8
"""Objects removed at the same time: each takes a call."""


class GcsStorage:
    """See `biblio.ports.storage.Storage`. Safe for threads; connects when first used."""

    def __init__(self, bucket: str, options: GcsOptions) -> None:
        self.bucket = bucket
        self._options = options
        self._lock = Lock()
        self._opened: Reach | None = None
        xml = XmlApi(bucket, options.endpoint, lambda: self._reach.session)
        parts = GcsMultipartUploads(xml, self._sign, self.stat)
        self.multipart: MultipartUploads = parts
        self.inventory: Inventory = GcsInventory(bucket, lambda: self._client, parts.uploads)

    def prepare(self) -> None:
        set_origins(make_bucket(self._client, self.bucket, self._options), self._options.origins)

    def ping(self) -> None:
        require_origins(require_bucket(self._client, self.bucket), self._options.origins)

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.client.close()
            self._opened = None

    def sign_upload(
        self, key: str, *, size: int, content_type: str, seconds: int, sha256: str | None = None
    ) -> SignedRequest:
        # All become signed headers. Generation 0 is that of an object that is not there.
        headers = {"Content-Type": content_type, "x-goog-if-generation-match": "0", **bound(size, sha256)}
        return self._sign("PUT", key, seconds, headers, {})

    def sign_download(self, key: str, *, file_name: str, content_type: str, seconds: int) -> SignedRequest:
        shown = {"response-content-disposition": attachment(file_name), "response-content-type": content_type}
        return self._sign("GET", key, seconds, {}, shown)

    def stat(self, key: str) -> StoredObject:
        blob = self._blob(key)
        with translated(key):
            blob.reload(retry=None)
        return _stored(blob)

    def read(
        self, key: str, *, start: int = 0, end: int | None = None, etag: str | None = None
    ) -> Generator[bytes, None, None]:
        if start < 0 or (end is not None and end <= start):
            raise InvalidInput(f"Bytes {start} to {end} are no range.", code="RANGE_OUTSIDE_OBJECT")
        return self._pieces(key, start, end, etag)

    def write(self, key: str, content: BinaryIO, *, content_type: str) -> StoredObject:
        blob, first = self._blob(key), _filled(content, PART)
        blob.chunk_size = PART
        # In one call where it is small; else in pieces that become an object with the last.
        is_whole = len(first) < PART
        source = io.BytesIO(first) if is_whole else _Onward(first, content)
        size = len(first) if is_whole else None
        try:
            with translated(key):
                blob.upload_from_file(source, size=size, content_type=content_type, retry=None)
        except ValueError as error:  # of the library: Google kept less of a piece than it was sent
            raise Unavailable(f"Storage lost a piece of {key}; it is worth another try.") from error
        return _stored(blob)

    def remove(self, prefix: str) -> int:
        if not prefix:
            raise InvalidInput("Without a prefix the whole bucket would be removed.")
        # Uploads first: none may complete behind our back.
        self.multipart.clear(prefix)
        keys = (found.key for found in self.inventory.objects(prefix) if is_meant(prefix, found.key))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(self._delete, keys))

    def _delete(self, key: str) -> bool:
        """Whether it was still there."""
        blob = self._blob(key)
        try:
            with translated(key):
                blob.delete(retry=None)
        except NotFound:
            return False
        return True

    def _pieces(self, key: str, start: int, end: int | None, etag: str | None) -> Generator[bytes, None, None]:
        with translated(key):
            answer = self._ask_for(key, start, end, etag)
            try:
                left = int(answer.headers["Content-Length"])
                while left > 0:
                    piece = answer.raw.read(min(PIECE, left), decode_content=False)
                    if not piece:
                        raise Unavailable(f"Storage broke off {key} with {left} bytes to go.")
                    left -= len(piece)
                    yield piece
            finally:
                answer.close()

    def _ask_for(self, key: str, start: int, end: int | None, etag: str | None) -> Response:
        if etag is not None and not re.fullmatch(r"[0-9]+", etag):
            raise self._changed(key)
        ranged = start > 0 or end is not None
        headers = {"Accept-Encoding": "identity"}
        if ranged:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        query = {"alt": "media", **({} if etag is None else {"ifGenerationMatch": etag})}
        url = f"{self._options.endpoint}/download/storage/v1/b/{self.bucket}/o/{quote(key, safe='')}"
        answer: Response = self._reach.session.request("GET", url, params=query, headers=headers, stream=True)
        if answer.status_code == 412:
            raise self._changed(key)
        refuse(answer)
        if ranged and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise Rejected("This storage does not send the asked range.", code="NOT_SUPPORTED")
        if "Content-Length" not in answer.headers:  # stored with a Content-Encoding, and unpacked by Google on its way
            raise Rejected(f"Storage does not say how long {key} is.", code="NOT_SUPPORTED")
        return answer

    def _changed(self, key: str) -> Conflict:
        """Raises `NotFound` when there is nothing at all: a precondition may be the first to fail."""
        self.stat(key)
        return Conflict(f"{key} in storage is no longer what it was.", code="OBJECT_CHANGED")

    def _sign(
        self, method: str, key: str, seconds: int, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> SignedRequest:
        signer, blob = self._reach.signer, self._blob(key)
        if signer is None:
            raise Misconfigured("These credentials hold no key to sign with: name a service account as 'signer'.")
        expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        with translated(key):
            url = blob.generate_signed_url(
                version="v4",
                method=method,
                expiration=timedelta(seconds=seconds),
                headers=dict(headers),
                query_parameters=dict(query),
                credentials=signer,
                api_access_endpoint=self._options.public_endpoint or self._options.endpoint,
            )
        return SignedRequest(method, url, headers, expires_at)

    def _blob(self, key: str) -> Blob:
        return self._client.bucket(self.bucket).blob(key)

    @property
    def _client(self) -> Client:
        return self._reach.client

    @property
    def _reach(self) -> Reach:
        with self._lock:
            if self._opened is None:
                with translated(f"bucket {self.bucket}"):
                    self._opened = open_reach(self._options)
            return self._opened


def connect(dsn: Dsn) -> Storage:
    """Storage at `dsn`, unconnected until it is used. Raises `Misconfigured`."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", dsn.host) or dsn.path or dsn.port is not None:
        raise Misconfigured(
            "A gs:// address names one bucket: gs://bucket?project=…, 3 to 222 of a-z, 0-9, '.', '-', '_'."
        )
    if dsn.username or dsn.password:
        raise Misconfigured("A gs:// address holds no secret: the option 'credentials' names a file.")
    return GcsStorage(dsn.host, dsn.read_options(GcsOptions))


def _stored(blob: Blob) -> StoredObject:
    return StoredObject(blob.name, int(blob.size), str(blob.generation), blob.content_type or "")


def _filled(content: BinaryIO, size: int) -> bytes:
    """`size` bytes, less at the end only: a pipe gives what it has."""
    pieces = bytearray()
    while len(pieces) < size and (piece := content.read(size - len(pieces))):
        pieces += piece
    return bytes(pieces)


class _Onward(io.RawIOBase):
    """A stream from where it stands, counted from 0, with what was read of it already put back."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first: bytes | None = first
        self._rest = rest
        self._at = 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> Any:
        """The library asks for as much as was put back."""
        piece, self._first = self._first or _filled(self._rest, size), None
        self._at += len(piece)
        return piece
