"""The bucket at Google itself: how it is made, which web pages it lets in, what is left in it."""

import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from biblio.adapters.storage.gcs import connect
from biblio.dsn import Dsn
from biblio.errors import Conflict, Misconfigured
from biblio.ports.storage import Storage
from tests.adapters.storage.gcs_place import storage_at
from tests.contracts.multipart import begin, put
from tests.contracts.storage import BrokenStream
from tests.emulators.gcs import BUCKET, Gcs, running_gcs

PAGE = "https://biblio.example"


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    with running_gcs() as server:
        yield server


@pytest.fixture
def storage(gcs: Gcs) -> Iterator[Storage]:
    with storage_at(gcs) as storage:
        storage.prepare()
        yield storage


def _fresh() -> str:
    return f"biblio-{uuid4().hex[:12]}"


def test_a_new_bucket_is_private_and_keeps_nothing_that_was_deleted(gcs: Gcs) -> None:
    name = _fresh()
    with storage_at(gcs, name, location="asia-northeast3") as storage:
        storage.prepare()
        storage.ping()
    about = gcs.buckets[name].about
    assert about["location"].lower() == "asia-northeast3"
    assert about["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    assert about["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"] is True
    assert about["softDeletePolicy"]["retentionDurationSeconds"] == 0


def test_a_new_bucket_is_made_once_by_many_at_once(gcs: Gcs) -> None:
    name, gate = _fresh(), threading.Barrier(6)

    def prepare(_number: int) -> None:
        with storage_at(gcs, name, origins=PAGE) as storage:
            gate.wait()
            storage.prepare()
            storage.ping()

    with storage_at(gcs, name) as early, pytest.raises(Misconfigured, match="no bucket"):
        early.ping()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(prepare, range(6)))


def test_a_bucket_that_is_not_there_is_misconfigured(gcs: Gcs) -> None:
    with storage_at(gcs, _fresh()) as storage:
        inventory = storage.inventory
        for listing in (inventory.objects("a/"), inventory.uploads("a/")):
            with pytest.raises(Misconfigured, match="no bucket"):
                list(listing)
        with pytest.raises(Misconfigured, match="no bucket"):
            storage.stat("a")


def test_a_bucket_is_made_in_a_project_only(gcs: Gcs, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    content = json.loads(gcs.key_file.read_text())
    del content["project_id"]
    (tmp_path / "key.json").write_text(json.dumps(content))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    storage = connect(Dsn.parse(f"gs://{_fresh()}?credentials={tmp_path}/key.json&endpoint={gcs.url}"))
    with pytest.raises(Misconfigured, match="'project'"):
        storage.prepare()


def _preflight(storage: Storage, origin: str) -> httpx.Response:
    upload = storage.sign_upload("cors/a", size=1, content_type="video/mp4", seconds=60, sha256="00" * 32)
    named = ",".join(name.lower() for name in upload.headers)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": named}
    return httpx.options(upload.url, headers={"Origin": origin, **asked})


def test_pages_of_the_stated_origins_may_upload_and_read_the_etag(gcs: Gcs) -> None:
    with storage_at(gcs, _fresh(), origins=f"{PAGE}/,http://127.0.0.1:8000") as storage:
        storage.prepare()
        storage.prepare()
        storage.ping()
        for origin in (PAGE, "http://127.0.0.1:8000"):
            allowed = _preflight(storage, origin).headers
            assert allowed["access-control-allow-origin"] == origin
            assert "x-goog-content-sha256" in allowed["access-control-allow-headers"]
        assert "access-control-allow-origin" not in _preflight(storage, "https://evil.example").headers
        upload = storage.sign_upload("cors/a", size=1, content_type="video/mp4", seconds=60)
        sent = httpx.put(upload.url, content=b"x", headers={**upload.headers, "Origin": PAGE})
        assert sent.headers["access-control-allow-origin"] == PAGE
        assert "etag" in sent.headers["access-control-expose-headers"].lower()


def test_origins_taken_away_are_let_in_no_longer_and_rules_made_by_hand_stay(gcs: Gcs) -> None:
    name = _fresh()
    with storage_at(gcs, name, origins=PAGE) as storage:
        storage.prepare()
    with storage_at(gcs, name) as storage:
        storage.prepare()
        assert "access-control-allow-origin" not in _preflight(storage, PAGE).headers
        by_hand = [{"origin": ["https://own.example"], "method": ["PUT"], "responseHeader": ["*"]}]
        gcs.buckets[name].about["cors"] = by_hand
        storage.prepare()
        storage.ping()
    assert gcs.buckets[name].about["cors"] == by_hand


RULE: dict[str, Any] = {"origin": [PAGE], "method": ["GET", "PUT"], "responseHeader": ["*"]}


@pytest.mark.parametrize(
    "broken",
    [
        [],
        [{**RULE, "origin": ["https://other.example", "http://biblio.example"]}],
        [{**RULE, "method": ["GET"]}],
        [{**RULE, "method": ["PUT"]}],
        [{**RULE, "responseHeader": ["Content-Type", "ETag"]}],
        [{"origin": [PAGE], "method": ["GET", "PUT"]}, RULE],
    ],
    ids=["none", "another page", "no PUT", "no GET", "too few headers", "a rule before it"],
)
def test_rules_that_do_not_let_a_page_upload_are_misconfigured_with_the_way_to_mend_them(
    gcs: Gcs, broken: list[dict[str, Any]]
) -> None:
    name = _fresh()
    with storage_at(gcs, name, origins=PAGE) as storage:
        storage.prepare()
        gcs.buckets[name].about["cors"] = broken
        with pytest.raises(Misconfigured, match=r"https://biblio\.example .*`biblio migrate`") as caught:
            storage.ping()
        gcs.buckets[name].about["cors"] = json.loads(caught.value.message[caught.value.message.index("[") :])
        storage.ping()
        assert "access-control-allow-origin" in _preflight(storage, PAGE).headers


@pytest.mark.parametrize("headers", [["*"], ["Content-Type", "ETag", "X-Goog-*"]])
def test_rules_made_by_hand_that_let_more_in_will_do(gcs: Gcs, headers: list[str]) -> None:
    name = _fresh()
    with storage_at(gcs, name, origins=PAGE) as storage:
        storage.prepare()
        gcs.buckets[name].about["cors"] = [{**RULE, "origin": ["*"], "responseHeader": headers}]
        storage.ping()


def test_a_write_that_breaks_off_leaves_nothing(gcs: Gcs, storage: Storage) -> None:
    with pytest.raises(OSError, match="broke off"):
        storage.write("broken/a", io.BufferedReader(BrokenStream(20_000_000)), content_type="a/b")
    assert list(storage.inventory.objects("broken/")) == []
    assert list(storage.inventory.uploads("broken/")) == []


@pytest.mark.parametrize("size", [8 * 1024**2 - 1, 8 * 1024**2, 16 * 1024**2])
def test_a_write_of_whole_pieces_ends_well(storage: Storage, size: int) -> None:
    assert storage.write("edge/a", io.BytesIO(bytes(size)), content_type="a/b").size == size
    storage.remove("edge/")


def test_removing_ends_unfinished_uploads_below_the_prefix_only(storage: Storage) -> None:
    kept = ("gone10/a", begin(storage, "gone10/a"))
    for _ in range(2):
        put(storage, "gone1/a", begin(storage, "gone1/a"), 1, b"abc")
    assert storage.remove("gone1/") == 0
    assert list(storage.inventory.uploads("gone1")) == [kept]
    storage.remove("gone10/")


def test_an_object_that_is_not_what_its_parts_make_is_a_conflict(gcs: Gcs, storage: Storage) -> None:
    upload = begin(storage, "lost/a")
    put(storage, "lost/a", upload, 1, bytes(5 * 1024**2))
    put(storage, "lost/a", upload, 2, b"abc")
    gcs.buckets[BUCKET].drops_last = True
    try:
        with pytest.raises(Conflict) as caught:
            storage.multipart.complete("lost/a", upload, storage.multipart.parts("lost/a", upload))
    finally:
        gcs.buckets[BUCKET].drops_last = False
    assert caught.value.code == "PARTS_CHANGED"


def test_an_etag_is_the_objects_generation(gcs: Gcs, storage: Storage) -> None:
    written = storage.write("generation/a", io.BytesIO(b"abc"), content_type="a/b")
    assert written.etag == str(gcs.buckets[BUCKET].objects["generation/a"].generation)
    with pytest.raises(Conflict):
        list(storage.read("generation/a", etag='"0123"'))
