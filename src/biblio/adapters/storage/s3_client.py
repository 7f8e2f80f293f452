"""How botocore is set up: endpoints, signing, time limits."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import TYPE_CHECKING, Any, Literal

from boto3.session import Session
from botocore.config import Config
from pydantic import Field

from biblio.adapters.storage.endpoints import Endpoint, is_loopback
from biblio.adapters.storage.origins import Origins
from biblio.dsn import Options

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DIGESTED = ("DeleteObjects", "PutBucketCors")
"""Calls of which S3 demands a digest of the body."""


class S3Options(Options):
    """What may stand after `?` in an s3:// address.

    `endpoint` is where workers call (left out: Amazon's), `public_endpoint` what signed URLs point at (left out: the
    same). `path_style` puts the bucket into the path instead of the host name (left out: wherever an endpoint is
    given). `session_token` belongs to credentials that were lent for a while. `sse` has objects encrypted by storage
    (left out: as the bucket says), with `sse_key_id` under that key of AWS KMS (left out: the account's own). `origins`
    are the web pages that may upload and play, separated by commas. The timeouts are in seconds.
    """

    endpoint: Endpoint | None = None
    public_endpoint: Endpoint | None = None
    region: str | None = None
    path_style: bool | None = None
    session_token: str | None = Field(default=None, repr=False)
    sse: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = None
    sse_key_id: str | None = None
    origins: Origins = ()
    connect_timeout: float = Field(default=5, gt=0)
    read_timeout: float = Field(default=30, gt=0)

    @property
    def encryption(self) -> Mapping[str, str]:
        """Parameters of the calls that make an object."""
        named = {"ServerSideEncryption": self.sse, "SSEKMSKeyId": self.sse_key_id}
        return {name: value for name, value in named.items() if value is not None}


def headers_of(encryption: Mapping[str, str]) -> dict[str, str]:
    """What a signed upload must then send."""
    names = {
        "ServerSideEncryption": "x-amz-server-side-encryption",
        "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    }
    return {names[parameter]: value for parameter, value in encryption.items()}


def open_client(endpoint: str | None, options: S3Options, key: str | None, secret: str | None) -> "S3Client":
    """A client for `endpoint`. Raises botocore's errors."""
    # Not boto3's default session: making clients from it is not safe for threads.
    session = Session()
    region = options.region or session.region_name or "us-east-1"
    path_style = options.path_style if options.path_style is not None else endpoint is not None
    config = Config(
        signature_version="s3v4",
        # Not "auto": outside us-east-1 it signs for the global host, whose redirect breaks uploads from a page.
        s3={"addressing_style": "path" if path_style else "virtual"},
        # Newer checksums only where S3 demands them: other stores refuse them.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        max_pool_connections=20,
        # A proxy set for the world outside cannot reach this machine's own storage.
        proxies={} if endpoint and is_loopback(endpoint) else None,
    )
    client = session.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=config,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=options.session_token,
    )
    client.meta.events.register_last("before-parameter-build.s3", _stay)
    for call in DIGESTED:
        client.meta.events.register_first(f"before-call.s3.{call}", _digest)
    return client


def _stay(context: dict[str, Any], **_event: object) -> None:
    """Tell botocore that it has already followed a bucket to its region.

    It would ask the server for the region, and a server that redirects everything (http to https) sends it round in
    circles until Python's stack ends. Signed URLs need the right region anyway.
    """
    context.get("s3_redirect", {})["redirected"] = True


def _digest(params: dict[str, Any], **_event: object) -> None:
    """Say the body's MD5 too: boto3 sends a CRC32 in its place, which many another store does not take for a digest."""
    digest = md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = b64encode(digest).decode("ascii")
