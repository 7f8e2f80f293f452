"""The bucket itself: made when missing, with its rules for browsers (CORS)."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from biblio.adapters.storage.origins import matches
from biblio.adapters.storage.s3_errors import error_code, translated
from biblio.errors import Misconfigured, NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RULE_ID = "biblio"
# A rule must name somebody, and `.invalid` never resolves (RFC 2606). Without any rule S3 lets no other origin in, but
# SeaweedFS lets all in.
_NOBODY = "https://nobody.invalid"
# What a page must be allowed to send. A range needs no leave (it is safelisted).
_NEEDED = {"PUT": ("content-type", "if-none-match", "x-amz-checksum-sha256"), "GET": ()}


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
    """Let pages of `origins` PUT and GET with ETag and checksum readable, and nobody else.

    Without `origins`, rules that an operator made by hand stay. Raises `Misconfigured` when origins are asked for and
    the storage takes no such rules.
    """
    found = _rules(client, bucket)
    if not origins and any(rule.get("ID") != _RULE_ID for rule in found):
        return
    wanted = _rule_for(origins or (_NOBODY,))
    if found == [wanted]:
        return
    try:
        with translated(f"the rules of bucket {bucket}"):
            client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [wanted]})  # type: ignore[list-item]
    except Misconfigured as error:
        if error.code != "NOT_SUPPORTED" or origins:
            raise


def require_origins(client: "S3Client", bucket: str, origins: tuple[str, ...], sent: Iterable[str]) -> None:
    """Raises `Misconfigured` unless the bucket's rules let pages of each of `origins` upload, with the headers `sent`
    too, play and read ETag."""
    rules = _rules(client, bucket) if origins else []
    for origin in origins:
        for method, headers in _NEEDED.items():
            # The first rule that fits is the one that counts.
            named = (*headers, *sent) if method == "PUT" else headers
            rule = next((rule for rule in rules if _fits(rule, origin, method, named)), None)
            if rule is None or not matches("etag", _lower(rule, "ExposeHeaders")):
                lack = f"{method} there" if rule is None else f"read ETag after a {method}"
                raise Misconfigured(
                    f"The rules of bucket '{bucket}' for browsers (CORS) do not let pages of {origin} {lack}: "
                    f"`biblio migrate` sets them, or set by hand {json.dumps({'CORSRules': [_rule_for(origins)]})}"
                )


def _rule_for(origins: Sequence[str]) -> dict[str, Any]:
    return {
        "ID": _RULE_ID,
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256"],
        "MaxAgeSeconds": 3600,
    }


def _fits(rule: dict[str, Any], origin: str, method: str, headers: Iterable[str]) -> bool:
    return (
        method in rule["AllowedMethods"]
        and matches(origin, rule["AllowedOrigins"])
        and all(matches(header, _lower(rule, "AllowedHeaders")) for header in headers)
    )


def _lower(rule: dict[str, Any], names: str) -> list[str]:
    return [name.lower() for name in rule.get(names, [])]


def _rules(client: "S3Client", bucket: str) -> list[dict[str, Any]]:
    with translated(f"the rules of bucket {bucket}"):
        try:
            return [dict(rule) for rule in client.get_bucket_cors(Bucket=bucket)["CORSRules"]]
        except ClientError as error:
            if error_code(error) in {"NoSuchCORSConfiguration", "NotImplemented"}:
                return []
            raise
