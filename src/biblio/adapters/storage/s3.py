"""S3 and what speaks its protocol: `s3://key:secret@bucket?endpoint=…&public_endpoint=…&region=…&sse=…&origins=…`.

Without key and secret, boto3's own chain finds the credentials (environment, profile, role of the machine).
"""

import re
from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from biblio.adapters.storage.file_names import attachment
from biblio.adapters.storage.prefixes import is_meant
from biblio.adapters.storage.s3_bucket import make_bucket, require_bucket, require_origins, set_origins
from biblio.adapters.storage.s3_client import S3Options, headers_of, open_client
from biblio.adapters.storage.s3_errors import translated
from biblio.adapters.storage.s3_inventory import S3Inventory
from biblio.adapters.storage.s3_multipart import S3MultipartUploads, sha256_header
from biblio.dsn import Dsn
from biblio.errors import InvalidInput, Misconfigured, NotFound, Rejected, Unavailable
from biblio.ports.inventory import Inventory
from biblio.ports.multipart import MultipartUploads
from biblio.ports.storage import SignedRequest, Storage, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PIECE = 1024**2
PART = 8 * 1024**2


class S3Storage:
    """See `biblio.ports.storage.Storage`. Safe for threads; connects when first used."""

    def __init__(self, bucket: str, options: S3Options, key: str | None, secret: str | None) -> None:
        self.bucket = bucket
        self._options = options
        self._login = (key, secret)
        self._lock = Lock()
        self._clients: dict[str | None, S3Client] = {}
        self.inventory: Inventory = S3Inventory(bucket, lambda: self._client)
        self.multipart: MultipartUploads = S3MultipartUploads(
            bucket, lambda: self._client, self._sign, options.encryption
        )

    def prepare(self) -> None:
        make_bucket(self._client, self.bucket, self._client.meta.region_name)
        set_origins(self._client, self.bucket, self._options.origins)

    def ping(self) -> None:
        require_bucket(self._client, self.bucket)
        sent = headers_of(self._options.encryption)
        require_origins(self._client, self.bucket, self._options.origins, sent)

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def sign_upload(
        self, key: str, *, size: int, content_type: str, seconds: int, sha256: str | None = None
    ) -> SignedRequest:
        checksum = sha256_header(sha256)
        # All become signed headers. Content-Length is not handed out: every HTTP client sets it, and none lets a page.
        encryption = self._options.encryption
        asked = {"ContentLength": size, "ContentType": content_type, "IfNoneMatch": "*", **checksum.asked, **encryption}
        headers = {"Content-Type": content_type, "If-None-Match": "*", **checksum.headers, **headers_of(encryption)}
        return self._sign("PUT", "put_object", key, seconds, asked, headers)

    def sign_download(self, key: str, *, file_name: str, content_type: str, seconds: int) -> SignedRequest:
        asked = {"ResponseContentDisposition": attachment(file_name), "ResponseContentType": content_type}
        return self._sign("GET", "get_object", key, seconds, asked, {})

    def stat(self, key: str) -> StoredObject:
        with translated(key):
            found = self._client.head_object(Bucket=self.bucket, Key=key)
        return StoredObject(key, found["ContentLength"], found["ETag"], found.get("ContentType", ""))

    def read(
        self, key: str, *, start: int = 0, end: int | None = None, etag: str | None = None
    ) -> Generator[bytes, None, None]:
        if start < 0 or (end is not None and end <= start):
            # S3 ignores a range that makes no sense and sends everything.
            raise InvalidInput(f"Bytes {start} to {end} are no range.", code="RANGE_OUTSIDE_OBJECT")
        return self._pieces(key, start, end, {"IfMatch": etag} if etag is not None else {})

    def write(self, key: str, content: BinaryIO, *, content_type: str) -> StoredObject:
        named = {"ContentType": content_type, **self._options.encryption}
        try:
            with translated(key):
                self._client.upload_fileobj(content, self.bucket, key, ExtraArgs=named, Config=_transfer())
            return self.stat(key)
        except NotFound as error:  # aborted or removed meanwhile, as by a clean-up that came late
            raise Unavailable(f"Storage lost {key} while it was written; it is worth another try.") from error

    def remove(self, prefix: str) -> int:
        if not prefix:
            raise InvalidInput("Without a prefix the whole bucket would be removed.")
        with translated(prefix):
            # Uploads first: none may complete behind our back.
            self.multipart.clear(prefix)
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            found = ([entry["Key"] for entry in page.get("Contents", [])] for page in pages)
            return sum(self._delete([key for key in keys if is_meant(prefix, key)]) for keys in found)

    def _pieces(self, key: str, start: int, end: int | None, pinned: dict[str, str]) -> Generator[bytes, None, None]:
        ranged = start > 0 or end is not None
        asked = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if ranged else {}
        with translated(key):
            answer = self._client.get_object(Bucket=self.bucket, Key=key, **asked, **pinned)  # type: ignore[arg-type]
            body, left = answer["Body"], answer["ContentLength"]
            try:
                if ranged and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
                    raise Rejected("This storage does not send the asked range.", code="NOT_SUPPORTED")
                while left > 0:
                    piece = body.read(min(PIECE, left))
                    if not piece:
                        raise Unavailable(f"Storage broke off {key} with {left} bytes to go.")
                    left -= len(piece)
                    yield piece
            finally:
                body.close()

    def _delete(self, keys: list[str]) -> int:
        if not keys:
            return 0
        answer = self._client.delete_objects(
            Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
        for failure in answer.get("Errors", []):
            raise ClientError({"Error": {"Code": failure.get("Code", "")}}, "DeleteObjects")
        return len(keys)

    def _sign(
        self,
        method: Literal["GET", "PUT"],
        call: str,
        key: str,
        seconds: int,
        asked: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> SignedRequest:
        expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        client = self._open(self._options.public_endpoint or self._options.endpoint)
        with translated(key):
            url = client.generate_presigned_url(
                call, Params={"Bucket": self.bucket, "Key": key, **asked}, ExpiresIn=seconds, HttpMethod=method
            )
        return SignedRequest(method, url, headers, expires_at)

    @property
    def _client(self) -> "S3Client":
        return self._open(self._options.endpoint)

    def _open(self, endpoint: str | None) -> "S3Client":
        with self._lock:
            if endpoint not in self._clients:
                with translated(f"bucket {self.bucket}"):
                    self._clients[endpoint] = open_client(endpoint, self._options, *self._login)
            return self._clients[endpoint]


def connect(dsn: Dsn) -> Storage:
    """Storage at `dsn`, unconnected until it is used. Raises `Misconfigured`."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", dsn.host) or dsn.path or dsn.port is not None:
        raise Misconfigured("An s3:// address names one bucket: s3://bucket?endpoint=…, 3 to 63 of a-z, 0-9, '.', '-'.")
    if bool(dsn.username) != bool(dsn.password):
        raise Misconfigured("An s3:// address holds both key and secret, or neither.")
    options = dsn.read_options(S3Options)
    if options.sse_key_id and options.sse in (None, "AES256"):
        raise Misconfigured("The option 'sse_key_id' of an s3:// address needs sse=aws:kms or sse=aws:kms:dsse.")
    if options.session_token and not dsn.username:
        raise Misconfigured("An s3:// address with a 'session_token' holds the key and secret that it belongs to.")
    return S3Storage(dsn.host, options, dsn.username, dsn.password)


def _transfer() -> TransferConfig:
    """Memory of one write: at most four parts, however large the stream."""
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2)
    config.max_in_memory_upload_chunks = 2
    return config
