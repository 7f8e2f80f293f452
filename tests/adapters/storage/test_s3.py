"""S3's protocol, spoken with SeaweedFS."""

import io
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import httpx
import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.storage import Storage
from tests.contracts.storage import BrokenStream, StorageContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = "https://biblio.example"


@pytest.fixture
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_STORAGE"])


@pytest.fixture
def storage(dsn: Dsn) -> Iterator[Storage]:
    storage = connect(dsn)
    storage.prepare()
    yield storage
    storage.close()


@pytest.fixture
def bare(dsn: Dsn) -> "S3Client":
    """boto3 itself, to look behind the adapter's back."""
    return boto3.client(
        "s3",
        endpoint_url=dsn.options["endpoint"],
        aws_access_key_id=dsn.username,
        aws_secret_access_key=dsn.password,
        region_name="us-east-1",
    )


class TestS3(StorageContract):
    @pytest.fixture
    def storage(self, dsn: Dsn) -> Storage:
        return connect(dsn)


def _with(dsn: Dsn, bucket: str | None = None, **options: str) -> Dsn:
    return replace(dsn, host=bucket or dsn.host, options={**dsn.options, **options})


def test_signed_urls_point_at_the_public_endpoint_and_calls_go_to_the_inner_one(dsn: Dsn) -> None:
    inner = dsn.options["endpoint"]
    public = inner.replace("127.0.0.1", "localhost")
    key = f"two-endpoints/{uuid4().hex}"
    storage = connect(_with(dsn, public_endpoint=public))
    storage.prepare()
    upload = storage.sign_upload(key, size=3, content_type="video/mp4", seconds=60)
    assert upload.url.startswith(public + "/")
    assert httpx.put(upload.url, content=b"abc", headers=dict(upload.headers)).status_code == 200
    assert b"".join(storage.read(key)) == b"abc"
    download = storage.sign_download(key, file_name="a.mp4", content_type="video/mp4", seconds=60)
    assert httpx.get(download.url).content == b"abc"
    # Signed for one host, worthless at the other; and workers do not need the public one.
    assert httpx.get(download.url.replace(public, inner)).status_code == 403
    alone = connect(_with(dsn, public_endpoint="http://nowhere.invalid"))
    assert alone.stat(key).size == 3
    assert alone.sign_upload(key, size=1, content_type="a/b", seconds=9).url.startswith("http://nowhere.invalid/")
    storage.remove("two-endpoints/")


def test_a_later_expiry_written_into_the_url_is_refused(storage: Storage) -> None:
    upload = storage.sign_upload("late/a", size=1, content_type="video/mp4", seconds=60)
    changed = upload.url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    assert changed != upload.url
    assert httpx.put(changed, content=b"x", headers=dict(upload.headers)).status_code == 403


def test_a_signature_names_length_type_and_its_time(storage: Storage) -> None:
    upload = storage.sign_upload("a", size=5, content_type="video/mp4", seconds=300)
    query = parse_qs(urlsplit(upload.url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert 0 <= (signed_at - upload.expires_at).total_seconds() + 300 <= 1


@pytest.mark.parametrize(
    ("region", "host"),
    [("ap-northeast-2", "lectures.s3.ap-northeast-2.amazonaws.com"), ("us-east-1", "lectures.s3.amazonaws.com")],
)
def test_without_an_endpoint_urls_point_at_the_regions_own_host(region: str, host: str) -> None:
    amazon = connect(Dsn("s3", "lectures", username="KEY", password="SECRET", options={"region": region}))
    upload = amazon.sign_upload("a", size=5, content_type="video/mp4", seconds=300)
    assert urlsplit(upload.url).hostname == host


def _preflight(storage: Storage, origin: str) -> httpx.Response:
    upload = storage.sign_upload("cors/a", size=1, content_type="video/mp4", seconds=60)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    return httpx.options(upload.url, headers={"Origin": origin, **asked})


def test_pages_of_the_stated_origins_may_upload_and_read_the_etag(dsn: Dsn) -> None:
    storage = connect(_with(dsn, "biblio-cors-pages", origins=f"{PAGE}/, http://127.0.0.1:8000"))
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
    connect(_with(dsn, "biblio-cors-change", origins=PAGE)).prepare()
    storage = connect(_with(dsn, "biblio-cors-change"))
    storage.prepare()
    assert "access-control-allow-origin" not in _preflight(storage, PAGE).headers


def test_without_origins_no_page_is_let_in(dsn: Dsn) -> None:
    storage = connect(_with(dsn, "biblio-cors-nobody"))
    storage.prepare()
    assert "access-control-allow-origin" not in _preflight(storage, PAGE).headers


def test_rules_made_by_hand_stay_where_no_origins_are_stated(dsn: Dsn, bare: "S3Client") -> None:
    storage = connect(_with(dsn, "biblio-cors-by-hand"))
    storage.prepare()
    bare.put_bucket_cors(
        Bucket=storage.bucket,
        CORSConfiguration={"CORSRules": [{"AllowedOrigins": ["https://own.example"], "AllowedMethods": ["PUT"]}]},
    )
    storage.prepare()
    assert [rule["AllowedOrigins"] for rule in bare.get_bucket_cors(Bucket=storage.bucket)["CORSRules"]] == [
        ["https://own.example"]
    ]


def test_a_new_bucket_is_made_once_by_many_at_once(dsn: Dsn) -> None:
    fresh = _with(dsn, f"biblio-race-{uuid4().hex[:12]}", origins=PAGE)
    stores = [connect(fresh) for _ in range(6)]
    with pytest.raises(Misconfigured, match="no bucket"):
        stores[0].ping()
    gate = threading.Barrier(len(stores))

    def prepare(storage: Storage) -> None:
        gate.wait()
        storage.prepare()
        storage.ping()

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(prepare, stores))


def test_removing_reaches_past_one_page_of_a_listing(storage: Storage) -> None:
    prefix = f"many/{uuid4().hex}/"
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: storage.write(f"{prefix}{n}", io.BytesIO(b"x"), content_type="a/b"), range(1_050)))
    assert storage.remove(prefix) == 1_050
    assert storage.remove(prefix) == 0


def test_removing_ends_unfinished_uploads_below_the_prefix_only(storage: Storage, bare: "S3Client") -> None:
    prefix = f"unfinished/{uuid4().hex}/"
    for key in (f"{prefix}1/original.mp4", f"{prefix}10/original.mp4"):
        upload = bare.create_multipart_upload(Bucket=storage.bucket, Key=key)
        bare.upload_part(Bucket=storage.bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"x")
    assert storage.remove(f"{prefix}1/") == 0
    assert _unfinished(bare, storage.bucket, prefix) == [f"{prefix}10/original.mp4"]
    storage.remove(prefix)
    assert _unfinished(bare, storage.bucket, prefix) == []


def test_a_write_that_breaks_off_leaves_no_parts(storage: Storage, bare: "S3Client") -> None:
    with pytest.raises(OSError, match="broke off"):
        storage.write("broken/a", io.BufferedReader(BrokenStream(20_000_000)), content_type="a/b")
    assert _unfinished(bare, storage.bucket, "broken/") == []


def _unfinished(bare: "S3Client", bucket: str, prefix: str) -> list[str]:
    return [entry["Key"] for entry in bare.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])]


def test_storage_on_this_machine_is_reached_around_a_proxy(dsn: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    connect(dsn).prepare()


def test_wrong_credentials_are_misconfigured(dsn: Dsn) -> None:
    for wrong in (replace(dsn, password="wrong-words"), replace(dsn, username="nobody")):
        for call in (connect(wrong).ping, connect(wrong).prepare):
            with pytest.raises(Misconfigured):
                call()


def test_an_unknown_option_is_refused(dsn: Dsn) -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'endpoint'"):
        connect(_with(dsn, end_point="http://127.0.0.1:1"))


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3://Bucket_Name",
        "s3://bucket/folder",
        "s3://bucket:80",
        "s3://key@bucket",
        "s3://bucket?endpoint=127.0.0.1:8333",
        "s3://bucket?endpoint=http://key:hidden-words@127.0.0.1",
        "s3://bucket?endpoint=http://127.0.0.1/path",
        "s3://bucket?origins=biblio.example",
        "s3://bucket?origins=https://biblio.example/page",
        "s3://bucket?read_timeout=0",
    ],
)
def test_an_address_without_sense_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        connect(Dsn.parse(address))
    assert "hidden-words" not in str(caught.value)


def test_no_secret_shows(dsn: Dsn) -> None:
    storage = connect(dsn)
    storage.ping()
    assert dsn.password
    assert dsn.password not in repr(storage) + str(storage) + repr(dsn)
