"""S3's multipart uploads, and where the stores that speak its protocol differ.

Amazon replaces a part that is sent again, and demands the checksum of every part at the end of an upload that was begun
with checksums; it lists them for that. SeaweedFS keeps both copies of a part and lists both, and lists no checksums.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import md5, sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from biblio.adapters.storage.prefixes import is_meant
from biblio.adapters.storage.s3_errors import error_code, translated
from biblio.errors import Conflict
from biblio.ports.multipart import StoredPart
from biblio.ports.storage import SignedRequest, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, PartTypeDef

Signer = Callable[[Literal["GET", "PUT"], str, str, int, Mapping[str, Any], Mapping[str, str]], SignedRequest]
"""(method, boto3's call, key, seconds, the call's parameters, headers to hand out)"""

_MD5 = re.compile(r'"?([0-9a-f]{32})"?')


class Checksum(NamedTuple):
    """What boto3 signs, and the header that must then be sent."""

    asked: Mapping[str, str]
    headers: Mapping[str, str]


def sha256_header(digest: str | None) -> Checksum:
    """For a digest in hex; nothing at all for None."""
    if digest is None:
        return Checksum({}, {})
    encoded = _to_base64(digest)
    return Checksum({"ChecksumSHA256": encoded}, {"x-amz-checksum-sha256": encoded})


class S3MultipartUploads:
    """See `biblio.ports.multipart.MultipartUploads`. Safe for threads."""

    def __init__(
        self, bucket: str, client: "Callable[[], S3Client]", sign: Signer, encryption: Mapping[str, str]
    ) -> None:
        self._bucket = bucket
        self._client = client
        self._sign = sign
        self._encryption = encryption
        self._lists_checksums: bool | None = None

    def begin(self, key: str, *, content_type: str, checksums: bool) -> str:
        if checksums and self._lists_checksums is None:
            # Two threads may find out at once: they find the same.
            self._lists_checksums = self._finds_checksums_listed(key)
        named: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if checksums and self._lists_checksums else {}
        with translated(key):
            begun = self._client().create_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                ContentType=content_type,
                **named,
                **self._encryption,  # type: ignore[arg-type]
            )
        return begun["UploadId"]

    def sign_part(
        self, key: str, upload_id: str, number: int, *, size: int, seconds: int, sha256: str | None = None
    ) -> SignedRequest:
        checksum = sha256_header(sha256)
        asked = {"UploadId": upload_id, "PartNumber": number, "ContentLength": size, **checksum.asked}
        return self._sign("PUT", "upload_part", key, seconds, asked, checksum.headers)

    def parts(self, key: str, upload_id: str) -> Sequence[StoredPart]:
        newest: dict[int, PartTypeDef] = {}
        with translated(key):
            # Pages as large as the store gives: SeaweedFS would cut between the copies of one part.
            pages = (
                self._client().get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
            )
            for part in (part for page in pages for part in page.get("Parts", [])):
                other = newest.get(part["PartNumber"])
                if other is None or other["LastModified"] <= part["LastModified"]:
                    newest[part["PartNumber"]] = part
        return [_stored(part) for _, part in sorted(newest.items())]

    def complete(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> StoredObject:
        ordered = sorted(parts, key=lambda part: part.number)
        with translated(key):
            self._client().complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [_completed(part) for part in ordered]},
            )
            found = self._client().head_object(Bucket=self._bucket, Key=key)
        stored = StoredObject(key, found["ContentLength"], found["ETag"], found.get("ContentType", ""))
        # Under such keys, what looks like an MD5 is none.
        etag = None if found.get("ServerSideEncryption", "").startswith("aws:kms") else _etag_of(ordered)
        if stored.size != sum(part.size for part in ordered) or etag not in (None, stored.etag.strip('"')):
            raise Conflict(f"{key} in storage is not what its parts make.", code="PARTS_CHANGED")
        return stored

    def abort(self, key: str, upload_id: str) -> None:
        with translated(key):
            try:
                self._client().abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
            except ClientError as error:
                if error_code(error) not in {"NoSuchUpload", "404"}:
                    raise

    def clear(self, prefix: str) -> None:
        with translated(prefix):
            pages = self._client().get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
            for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
                if is_meant(prefix, upload["Key"]):
                    self.abort(upload["Key"], upload["UploadId"])

    def _finds_checksums_listed(self, key: str) -> bool:
        """Try it with a part of one byte.

        Where none are listed, an upload that was begun with checksums could never be completed; begun without, each
        signed part is held to its checksum all the same (SeaweedFS). Amazon refuses such parts.
        """
        client, content = self._client(), b"?"
        with translated(key):
            upload_id = client.create_multipart_upload(Bucket=self._bucket, Key=key, ChecksumAlgorithm="SHA256")[
                "UploadId"
            ]
            try:
                checksum = _to_base64(sha256(content).hexdigest())
                client.upload_part(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload_id,
                    PartNumber=1,
                    Body=content,
                    ChecksumSHA256=checksum,
                )
                return any(part.sha256 for part in self.parts(key, upload_id))
            finally:
                self.abort(key, upload_id)


def _stored(part: "PartTypeDef") -> StoredPart:
    checksum = part.get("ChecksumSHA256")
    return StoredPart(part["PartNumber"], part["Size"], part["ETag"], b64decode(checksum).hex() if checksum else None)


def _completed(part: StoredPart) -> "CompletedPartTypeDef":
    named: CompletedPartTypeDef = {"PartNumber": part.number, "ETag": part.etag}
    if part.sha256 is not None:
        named["ChecksumSHA256"] = _to_base64(part.sha256)
    return named


def _etag_of(parts: Sequence[StoredPart]) -> str | None:
    """The etag of an object made of `parts`: the MD5 of their MD5s. None where their etags are none."""
    digests = [_MD5.fullmatch(part.etag) for part in parts]
    joined = b"".join(bytes.fromhex(digest[1]) for digest in digests if digest)
    return f"{md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}" if all(digests) else None


def _to_base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode("ascii")
