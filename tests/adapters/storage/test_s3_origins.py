"""Which web pages S3 storage lets in, and how it says that its rules lack one."""

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.storage import Storage
from tests.adapters.storage.altered import altered

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = "https://biblio.example"


def _preflight(storage: Storage, origin: str) -> httpx.Response:
    upload = storage.sign_upload("cors/a", size=1, content_type="video/mp4", seconds=60)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    return httpx.options(upload.url, headers={"Origin": origin, **asked})


def test_pages_of_the_stated_origins_may_upload_and_read_the_etag(dsn: Dsn) -> None:
    storage = connect(altered(dsn, "biblio-cors-pages", origins=f"{PAGE}/, http://127.0.0.1:8000"))
    storage.prepare()
    storage.prepare()
    for origin in (PAGE, "http://127.0.0.1:8000"):
        allowed = _preflight(storage, origin)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == origin
        assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in _preflight(storage, "https://evil.example").headers
    upload = storage.sign_upload("cors/a", size=1, content_type="video/mp4", seconds=60)
    sent = httpx.put(upload.url, content=b"x", headers={**upload.headers, "Origin": PAGE})
    assert sent.headers["access-control-allow-origin"] == PAGE
    assert "etag" in sent.headers["access-control-expose-headers"].lower()
    assert sent.headers["etag"] == storage.stat("cors/a").etag


def test_origins_taken_away_are_let_in_no_longer(dsn: Dsn) -> None:
    connect(altered(dsn, "biblio-cors-change", origins=PAGE)).prepare()
    storage = connect(altered(dsn, "biblio-cors-change"))
    storage.prepare()
    assert "access-control-allow-origin" not in _preflight(storage, PAGE).headers


def test_without_origins_no_page_is_let_in(dsn: Dsn) -> None:
    storage = connect(altered(dsn, "biblio-cors-nobody"))
    storage.prepare()
    assert "access-control-allow-origin" not in _preflight(storage, PAGE).headers


def test_rules_made_by_hand_stay_where_no_origins_are_stated(dsn: Dsn, bare: "S3Client") -> None:
    storage = connect(altered(dsn, "biblio-cors-by-hand"))
    storage.prepare()
    bare.put_bucket_cors(
        Bucket=storage.bucket,
        CORSConfiguration={"CORSRules": [{"AllowedOrigins": ["https://own.example"], "AllowedMethods": ["PUT"]}]},
    )
    storage.prepare()
    assert [rule["AllowedOrigins"] for rule in bare.get_bucket_cors(Bucket=storage.bucket)["CORSRules"]] == [
        ["https://own.example"]
    ]


RULE = {
    "AllowedOrigins": [PAGE],
    "AllowedMethods": ["GET", "PUT"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
}


def _set(bare: "S3Client", bucket: str, *rules: dict[str, Any]) -> None:
    bare.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {**RULE, "AllowedOrigins": ["https://other.example", "http://biblio.example"]},
        {**RULE, "AllowedOrigins": [f"{PAGE}.evil.example"]},
        {**RULE, "AllowedMethods": ["GET"]},
        {**RULE, "AllowedMethods": ["PUT"]},
        {**RULE, "AllowedHeaders": ["content-type"]},
        {**RULE, "ExposeHeaders": ["x-amz-checksum-sha256"]},
        {key: RULE[key] for key in ("AllowedOrigins", "AllowedMethods")},
    ],
    ids=["none", "another page", "a longer name", "no PUT", "no GET", "too few headers", "no ETag", "bare"],
)
def test_rules_that_do_not_let_a_page_upload_are_misconfigured_with_the_way_to_mend_them(
    dsn: Dsn, bare: "S3Client", broken: dict[str, Any] | None
) -> None:
    storage = connect(altered(dsn, "biblio-cors-broken", origins=PAGE))
    for mend_by_hand in (True, False):
        storage.prepare()
        storage.ping()
        if broken is None:
            bare.delete_bucket_cors(Bucket=storage.bucket)
        else:
            _set(bare, storage.bucket, broken)
        with pytest.raises(Misconfigured, match=r"broken.* https://biblio\.example .*`biblio migrate`") as caught:
            storage.ping()
        if mend_by_hand:
            shown = caught.value.message
            _set(bare, storage.bucket, *json.loads(shown[shown.index("{") :])["CORSRules"])
        else:
            storage.prepare()
        storage.ping()


def test_every_origin_must_be_let_in(dsn: Dsn, bare: "S3Client") -> None:
    storage = connect(altered(dsn, "biblio-cors-every", origins=f"{PAGE},http://127.0.0.1:8000"))
    storage.prepare()
    _set(bare, storage.bucket, RULE)
    with pytest.raises(Misconfigured, match=r"pages of http://127\.0\.0\.1:8000 "):
        storage.ping()
    _set(bare, storage.bucket, RULE, {**RULE, "AllowedOrigins": ["http://127.0.0.1:*"]})
    storage.ping()


@pytest.mark.parametrize(
    "rule",
    [
        {**RULE, "AllowedOrigins": ["*"], "ExposeHeaders": ["etag", "Content-Range"]},
        {**RULE, "AllowedOrigins": ["https://*.example"], "AllowedHeaders": ["Content-*", "If-None-Match", "x-amz-*"]},
    ],
)
def test_rules_made_by_hand_that_let_more_in_will_do(dsn: Dsn, bare: "S3Client", rule: dict[str, Any]) -> None:
    storage = connect(altered(dsn, f"biblio-cors-{uuid4().hex[:12]}", origins=PAGE))
    storage.prepare()
    _set(bare, storage.bucket, rule)
    storage.ping()


def test_without_origins_no_rule_is_asked_for(dsn: Dsn, bare: "S3Client") -> None:
    storage = connect(altered(dsn, "biblio-cors-unasked"))
    storage.prepare()
    bare.delete_bucket_cors(Bucket=storage.bucket)
    storage.ping()
