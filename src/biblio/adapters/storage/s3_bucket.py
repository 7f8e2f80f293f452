"""The bucket itself: made when missing, with its rules for browsers (CORS)."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from biblio.adapters.storage.s3_errors import error_code, translated
from biblio.errors import Misconfigured, NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RULE_ID = "biblio"
# A rule must name somebody, and `.invalid` never resolves (RFC 2606). Without any rule S3 lets no other origin in, but
# SeaweedFS lets all in.
_NOBODY = "https://nobody.invalid"


def require_bucket(client: "S3Client", bucket: str) -> None:
    """Raises `Misconfigured` when the bucket is missing or out of reach."""
    try:
        with translated(f"bucket {bucket}"):
            client.head_bucket(Bucket=bucket)
    except NotFound as error:
        raise Misconfigured(f"Storage has no bucket '{bucket}': make it, or start biblio with rights to.") from error


def make_bucket(client: "S3Client", bucket: str, region: str) -> None:
    """Make the bucket unless it is there; two at once both succeed."""
    try:
        with translated(f"bucket {bucket}"):
            client.head_bucket(Bucket=bucket)
    except NotFound:
        _create(client, bucket, region)


def _create(client: "S3Client", bucket: str, region: str) -> None:
    with translated(f"bucket {bucket}"):
        try:
            # S3 refuses its first region by name.
            if region == "us-east-1":
                client.create_bucket(Bucket=bucket)
            else:
                client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]
        except ClientError as error:
            if error_code(error) not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise
            # Somebody was faster. Whether it was us, the bucket itself says.
            client.head_bucket(Bucket=bucket)


def set_origins(client: "S3Client", bucket: str, origins: tuple[str, ...]) -> None:
    """Let pages of `origins` PUT and GET with `ETag` readable, and nobody else.

    Without `origins`, rules that an operator made by hand stay. Raises `Misconfigured` when origins are asked for and
    the storage takes no such rules.
    """
    found = _rules(client, bucket)
    if not origins and any(rule.get("ID") != _RULE_ID for rule in found):
        return
    wanted: dict[str, Any] = {
        "ID": _RULE_ID,
        "AllowedOrigins": list(origins or (_NOBODY,)),
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }
    if found == [wanted]:
        return
    try:
        with translated(f"the rules of bucket {bucket}"):
            client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [wanted]})  # type: ignore[list-item]
    except Misconfigured as error:
        if error.code != "NOT_SUPPORTED" or origins:
            raise


def _rules(client: "S3Client", bucket: str) -> list[dict[str, Any]]:
    with translated(f"the rules of bucket {bucket}"):
        try:
            return [dict(rule) for rule in client.get_bucket_cors(Bucket=bucket)["CORSRules"]]
        except ClientError as error:
            if error_code(error) in {"NoSuchCORSConfiguration", "NotImplemented"}:
                return []
            raise
