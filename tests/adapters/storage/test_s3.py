"""S3's protocol, spoken with SeaweedFS."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.storage import Storage
from tests.adapters.storage.altered import altered
from tests.contracts.inventory import InventoryContract
from tests.contracts.storage import BrokenStream, StorageContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class TestS3(StorageContract):
    @pytest.fixture
    def storage(self, dsn: Dsn) -> Storage:
        return connect(dsn)


class TestS3Inventory(InventoryContract):
    @pytest.fixture
    def storage(self, dsn: Dsn) -> Storage:
        return connect(dsn)


def test_an_inventory_of_a_bucket_that_is_not_there_is_misconfigured(dsn: Dsn) -> None:
    inventory = connect(altered(dsn, f"biblio-none-{uuid4().hex[:12]}")).inventory
    for listing in (inventory.objects("a/"), inventory.uploads("a/")):
        with pytest.raises(Misconfigured, match="no bucket"):
            list(listing)


def test_signed_urls_point_at_the_public_endpoint_and_calls_go_to_the_inner_one(dsn: Dsn) -> None:
    inner = dsn.options["endpoint"]
    public = inner.replace("127.0.0.1", "localhost")
    key = f"two-endpoints/{uuid4().hex}"
    storage = connect(altered(dsn, public_endpoint=public))
    storage.prepare()
    upload = storage.sign_upload(key, size=3, content_type="video/mp4", seconds=60)
    assert upload.url.startswith(public + "/")
    assert httpx.put(upload.url, content=b"abc", headers=dict(upload.headers)).status_code == 200
    assert b"".join(storage.read(key)) == b"abc"
    download = storage.sign_download(key, file_name="a.mp4", content_type="video/mp4", seconds=60)
    assert httpx.get(download.url).content == b"abc"
    # Signed for one host, worthless at the other; and workers do not need the public one.
    assert httpx.get(download.url.replace(public, inner)).status_code == 403
    alone = connect(altered(dsn, public_endpoint="http://nowhere.invalid"))
    assert alone.stat(key).size == 3
    assert alone.sign_upload(key, size=1, content_type="a/b", seconds=9).url.startswith("http://nowhere.invalid/")
    storage.remove("two-endpoints/")


def test_a_signed_download_may_name_another_type_than_the_stored_one(storage: Storage) -> None:
    storage.write("typed/a", io.BytesIO(b"abc"), content_type="application/octet-stream")
    download = storage.sign_download("typed/a", file_name="a.mp4", content_type="video/mp4", seconds=60)
    assert httpx.get(download.url).headers["content-type"] == "video/mp4"
    storage.remove("typed/")


def test_a_later_expiry_written_into_the_url_is_refused(storage: Storage) -> None:
    upload = storage.sign_upload("late/a", size=1, content_type="video/mp4", seconds=60)
    changed = upload.url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    assert changed != upload.url
    assert httpx.put(changed, content=b"x", headers=dict(upload.headers)).status_code == 403


def test_a_signature_names_length_type_and_its_time(storage: Storage) -> None:
    upload = storage.sign_upload("a", size=5, content_type="video/mp4", seconds=300)
    query = parse_qs(urlsplit(upload.url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
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


def test_a_new_bucket_is_made_once_by_many_at_once(dsn: Dsn) -> None:
    fresh = altered(dsn, f"biblio-race-{uuid4().hex[:12]}", origins="https://biblio.example")
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
        connect(altered(dsn, end_point="http://127.0.0.1:1"))


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
