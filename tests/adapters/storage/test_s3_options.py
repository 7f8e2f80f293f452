"""What an s3:// address may ask for beside the bucket, and stores of an older kind."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.storage import Storage
from tests.adapters.storage.altered import altered
from tests.adapters.storage.older_store import OlderStore, older_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = "https://biblio.example"
LENT = "a-token-that-was-lent"
KMS = "arn:aws:kms:ap-northeast-2:1:key/2"


@pytest.fixture
def store() -> Iterator[OlderStore]:
    with older_store() as store:
        yield store


def _at(store: OlderStore, **options: str) -> Storage:
    return connect(Dsn("s3", "bucket", username="KEY", password="SECRET", options={"endpoint": store.url, **options}))


def test_no_checksum_breaks_an_older_store_and_what_it_demands_is_sent(store: OlderStore) -> None:
    storage = _at(store, origins=PAGE)
    storage.prepare()
    storage.write("a/small", io.BytesIO(b"abc"), content_type="a/b")
    storage.write("a/large", io.BytesIO(bytes(9_000_000)), content_type="a/b")
    assert sorted(store.sizes.values()) == [3, 9_000_000 - 8 * 1024**2, 8 * 1024**2]
    upload = storage.sign_upload("a/signed", size=3, content_type="a/b", seconds=60)
    assert httpx.put(upload.url, content=b"abc", headers=dict(upload.headers)).status_code == 200
    assert storage.remove("a/") == 1
    assert "content-md5" in store.sent["POST ?delete"]
    assert "content-md5" in store.sent["PUT ?cors"]


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({}, {}),
        ({"sse": "AES256"}, {"x-amz-server-side-encryption": "AES256"}),
        ({"sse": "aws:kms"}, {"x-amz-server-side-encryption": "aws:kms"}),
        (
            {"sse": "aws:kms:dsse", "sse_key_id": KMS},
            {"x-amz-server-side-encryption": "aws:kms:dsse", "x-amz-server-side-encryption-aws-kms-key-id": KMS},
        ),
    ],
)
def test_every_way_to_make_an_object_asks_for_its_encryption(
    store: OlderStore, options: dict[str, str], headers: dict[str, str]
) -> None:
    storage = _at(store, **options)
    upload = storage.sign_upload("a/signed", size=3, content_type="a/b", seconds=60)
    assert dict(upload.headers) == {"Content-Type": "a/b", "If-None-Match": "*", **headers}
    signed = parse_qs(urlsplit(upload.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert [name for name in signed if "encryption" in name] == sorted(headers)
    storage.write("a/small", io.BytesIO(b"abc"), content_type="a/b")
    storage.write("a/large", io.BytesIO(bytes(9_000_000)), content_type="a/b")
    storage.multipart.begin("a/parts", content_type="a/b", checksums=False)
    for call in ("PUT ?", "POST ?uploads"):
        assert {name: value for name, value in store.sent[call].items() if "encryption" in name} == headers
    # A part takes after its upload, and S3 refuses the headers there.
    assert storage.multipart.sign_part("a/parts", "u", 1, size=3, seconds=60).headers == {}
    assert [name for name in store.sent["PUT ?partNumber"] if "encryption" in name] == []


def test_a_session_token_goes_with_calls_and_signed_urls_and_shows_nowhere(store: OlderStore) -> None:
    storage = _at(store, session_token=LENT)
    storage.stat("a/b")
    assert store.sent["HEAD ?"]["x-amz-security-token"] == LENT
    upload = storage.sign_upload("a/b", size=3, content_type="a/b", seconds=60)
    part = storage.multipart.sign_part("a/b", "u", 1, size=3, seconds=60)
    for url in (upload.url, part.url):
        assert parse_qs(urlsplit(url).query)["X-Amz-Security-Token"] == [LENT]
    address = Dsn.parse(f"s3://KEY:SECRET@bucket?session_token={LENT}")
    assert LENT not in repr(address) + repr(storage) + repr(vars(storage))


@pytest.mark.parametrize(
    ("path_style", "start"),
    [(None, "http://store.example:9000/bucket/a?"), ("false", "http://bucket.store.example:9000/a?")],
)
def test_a_bucket_stands_in_the_path_or_in_the_host_name(path_style: str | None, start: str) -> None:
    style = {} if path_style is None else {"path_style": path_style}
    options = {"endpoint": "http://store.example:9000", **style}
    storage = connect(Dsn("s3", "bucket", username="KEY", password="SECRET", options=options))
    upload = storage.sign_upload("a", size=3, content_type="a/b", seconds=60)
    download = storage.sign_download("a", file_name="a", content_type="a/b", seconds=60)
    part = storage.multipart.sign_part("a", "u", 1, size=3, seconds=60)
    assert [one.url[: len(start)] for one in (upload, download, part)] == [start] * 3


def test_rules_of_a_bucket_must_let_pages_send_its_encryption(dsn: Dsn, bare: "S3Client") -> None:
    plain = connect(altered(dsn, "biblio-cors-sse", origins=PAGE))
    encrypted = connect(altered(dsn, "biblio-cors-sse", origins=PAGE, sse="AES256"))
    encrypted.prepare()
    encrypted.ping()
    sent = ["content-type", "if-none-match", "x-amz-checksum-sha256"]
    rule = {
        "AllowedOrigins": [PAGE],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": sent,
        "ExposeHeaders": ["ETag"],
    }
    bare.put_bucket_cors(Bucket="biblio-cors-sse", CORSConfiguration={"CORSRules": [{**rule, "AllowedHeaders": sent}]})  # type: ignore[list-item]
    plain.ping()
    with pytest.raises(Misconfigured, match="CORS"):
        encrypted.ping()


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket?sse=yes",
        "s3://bucket?sse_key_id=hidden-words",
        "s3://bucket?sse=AES256&sse_key_id=hidden-words",
        "s3://bucket?session_token=hidden-words",
    ],
)
def test_an_address_that_asks_for_half_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        connect(Dsn.parse(address))
    assert "hidden-words" not in str(caught.value)
