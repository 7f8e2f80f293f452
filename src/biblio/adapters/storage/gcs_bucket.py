"""The bucket itself: made when missing, with its rules for browsers (CORS)."""

import json
from collections.abc import Sequence
from typing import Any

from google.api_core.exceptions import Conflict
from google.cloud.storage import Bucket, Client

from biblio.adapters.storage.gcs_client import GcsOptions
from biblio.adapters.storage.gcs_errors import translated
from biblio.adapters.storage.origins import matches
from biblio.errors import Misconfigured

_METHODS = ["PUT", "GET", "HEAD"]
_SENT = ["content-type", "x-goog-if-generation-match", "x-goog-content-length-range", "x-goog-content-sha256"]
_READ = ["etag", "x-goog-hash", "x-goog-generation"]
# In Google's rules one list stands for the headers that a page may send and for those that it may read. A range needs
# no leave (it is safelisted).
_NEEDED = {"PUT": [*_SENT, "etag"], "GET": ["etag"]}


def require_bucket(client: Client, name: str) -> Bucket:
    """Raises `Misconfigured` when the bucket is missing or out of reach."""
    with translated(f"bucket {name}"):
        return client.get_bucket(name, retry=None)


def make_bucket(client: Client, name: str, options: GcsOptions) -> Bucket:
    """Make the bucket unless it is there; two at once both succeed."""
    with translated(f"bucket {name}"):
        found = client.lookup_bucket(name, retry=None)
        return found if found is not None else _create(client, name, options)


STAGED, STAGED_DAYS = "biblio-speech/", 2
"""Where pieces of sound lie while Google Speech hears them (adapters/speech/google_staging.py), and for how long."""


def _create(client: Client, name: str, options: GcsOptions) -> Bucket:
    if client.project is None:
        raise Misconfigured(f"Storage has no bucket '{name}', and the gs:// address no 'project' to make it in.")
    bucket = client.bucket(name)
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    # What is deleted here is gone; Google would keep it for a week, and charge for it.
    bucket.soft_delete_policy.retention_duration_seconds = 0
    # What a recogniser was given, and nobody lived to remove: an operation that was canceled goes on without us.
    bucket.add_lifecycle_delete_rule(age=STAGED_DAYS, matches_prefix=[STAGED])
    try:
        return client.create_bucket(bucket, location=options.location, retry=None)
    except Conflict:
        # Somebody was faster. Whether it was us, the bucket itself says.
        return client.get_bucket(name, retry=None)


def set_origins(bucket: Bucket, origins: tuple[str, ...]) -> None:
    """Let pages of `origins` PUT and GET with ETag readable, and nobody else.

    Without `origins`, rules that an operator made by hand stay.
    """
    found = [dict(rule) for rule in bucket.cors]
    wanted = [_rule_for(origins)] if origins else []
    if found == wanted or (not origins and not all(_is_ours(rule) for rule in found)):
        return
    with translated(f"the rules of bucket {bucket.name}"):
        bucket.cors = wanted
        bucket.patch(retry=None)


def require_origins(bucket: Bucket, origins: tuple[str, ...]) -> None:
    """Raises `Misconfigured` unless the bucket's rules let pages of each of `origins` upload, play and read ETag."""
    for origin in origins:
        for method, headers in _NEEDED.items():
            # The first rule that fits origin and method is the one that counts.
            rule = next((rule for rule in bucket.cors if _fits(rule, origin, method)), None)
            named = [name.lower() for name in rule.get("responseHeader", [])] if rule else []
            if not all(matches(header, named) for header in headers):
                raise Misconfigured(
                    f"The rules of bucket '{bucket.name}' for browsers (CORS) do not let pages of {origin} {method} "
                    f"there or read ETag: `biblio migrate` sets them, or set by hand {json.dumps([_rule_for(origins)])}"
                )


def _rule_for(origins: Sequence[str]) -> dict[str, Any]:
    return {"origin": list(origins), "method": _METHODS, "responseHeader": [*_SENT, *_READ], "maxAgeSeconds": 3600}


def _is_ours(rule: dict[str, Any]) -> bool:
    return rule == _rule_for(rule.get("origin", []))


def _fits(rule: dict[str, Any], origin: str, method: str) -> bool:
    return matches(method, rule.get("method", [])) and matches(origin, rule.get("origin", []))
