"""S3's uploads in parts: with SeaweedFS, and where Amazon differs, against an emulator of it."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Conflict, NotFound
from biblio.ports.storage import Storage
from tests.adapters.storage.altered import altered
from tests.adapters.storage.amazon import Amazon, serving
from tests.contracts.multipart import SMALLEST, MultipartContract, begin, hexed, put
from tests.contracts.storage import send

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class TestS3Multipart(MultipartContract):
    @pytest.fixture
    def storage(self, dsn: Dsn) -> Storage:
        return connect(dsn)


@pytest.fixture
def folder(storage: Storage) -> Iterator[str]:
    prefix = f"parts/{uuid4().hex}/"
    yield prefix
    storage.remove(prefix)


@contextmanager
def _at(amazon: Amazon) -> Iterator[Storage]:
    with serving(amazon) as endpoint:
        storage = connect(Dsn("s3", "bucket", username="KEY", password="SECRET", options={"endpoint": endpoint}))
        yield storage
        storage.close()


def test_a_signature_names_length_and_checksum(storage: Storage) -> None:
    for digest, named in ((None, "content-length;host"), (hexed(b"abc"), "content-length;host;x-amz-checksum-sha256")):
        part = storage.multipart.sign_part("a", "id", 7, size=3, seconds=300, sha256=digest)
        query = parse_qs(urlsplit(part.url).query)
        assert query["X-Amz-SignedHeaders"] == [named]
        assert (query["partNumber"], query["uploadId"], query["X-Amz-Expires"]) == (["7"], ["id"], ["300"])
        assert sorted(part.headers) == (["x-amz-checksum-sha256"] if digest else [])


def test_parts_are_signed_for_the_public_endpoint_and_listed_at_the_inner_one(dsn: Dsn, folder: str) -> None:
    public = dsn.options["endpoint"].replace("127.0.0.1", "localhost")
    storage = connect(altered(dsn, public_endpoint=public))
    upload = begin(storage, f"{folder}a")
    part = put(storage, f"{folder}a", upload, 1, b"abc")
    assert part.url.startswith(f"{public}/")
    assert send(replace(part, url=part.url.replace(public, dsn.options["endpoint"])), b"abc") == 403
    alone = connect(altered(dsn, public_endpoint="http://nowhere.invalid"))
    listed = alone.multipart.parts(f"{folder}a", upload)
    assert alone.multipart.complete(f"{folder}a", upload, listed).size == 3


def test_removing_ends_unfinished_uploads_below_the_prefix_only_and_leaves_none_of_their_parts(
    storage: Storage, bare: "S3Client", folder: str
) -> None:
    gone, kept = f"{folder}1/original.mp4", f"{folder}10/original.mp4"
    uploads = {begin(storage, gone): gone, begin(storage, gone, checksums=True): gone, begin(storage, kept): kept}
    for upload, key in uploads.items():
        for number in (1, 2, 3):
            bare.upload_part(Bucket=storage.bucket, Key=key, UploadId=upload, PartNumber=number, Body=bytes(SMALLEST))
    assert storage.remove(f"{folder}1/") == 0
    assert _unfinished(bare, storage.bucket, folder) == [kept]
    assert "Contents" not in bare.list_objects_v2(Bucket=storage.bucket, Prefix=folder)
    for upload, key in uploads.items():
        if key == gone:
            with pytest.raises(bare.exceptions.NoSuchUpload):
                bare.list_parts(Bucket=storage.bucket, Key=key, UploadId=upload)
        else:
            assert len(bare.list_parts(Bucket=storage.bucket, Key=key, UploadId=upload)["Parts"]) == 3
    storage.remove(folder)
    assert _unfinished(bare, storage.bucket, folder) == []


def test_trying_for_checksums_leaves_nothing(dsn: Dsn, bare: "S3Client", folder: str) -> None:
    storage = connect(dsn)
    key = f"{folder}original.mp4"
    uploads = [begin(storage, key, checksums=True) for _ in range(2)]
    found = bare.list_multipart_uploads(Bucket=storage.bucket, Prefix=folder)["Uploads"]
    assert sorted(upload["UploadId"] for upload in found) == sorted(uploads)
    assert [storage.multipart.parts(key, upload) for upload in uploads] == [[], []]


def _unfinished(bare: "S3Client", bucket: str, prefix: str) -> list[str]:
    return [entry["Key"] for entry in bare.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])]


def test_completing_and_aborting_at_once_ends_in_a_whole_object_or_none(storage: Storage, folder: str) -> None:
    wholes = []
    for turn in range(30):
        key, content = f"{folder}{turn}", os.urandom(20_000)
        upload = begin(storage, key)
        put(storage, key, upload, 1, content)
        listed = storage.multipart.parts(key, upload)
        complete = partial(storage.multipart.complete, key, upload, listed)
        refusals = _at_once(complete, partial(storage.multipart.abort, key, upload), late=random.random() * 0.006)
        assert refusals in ([], [NotFound], [Conflict])
        wholes.append((key, None if refusals else content))
        with pytest.raises(NotFound):
            storage.multipart.parts(key, upload)
    # SeaweedFS clears away what it deleted a moment later.
    time.sleep(3)
    assert [_content(storage, key) == content for key, content in wholes] == [True] * 30


def test_completing_different_copies_of_a_part_at_once_ends_in_one_of_them(storage: Storage, folder: str) -> None:
    made = []
    for turn in range(30):
        key, contents = f"{folder}{turn}", [os.urandom(20_000), os.urandom(20_000)]
        upload, listings = begin(storage, key), []
        put(storage, key, upload, 1, contents[0])
        listings.append(storage.multipart.parts(key, upload))
        put(storage, key, upload, 1, contents[1])
        listings.append([replace(part, etag=f'"{md5(contents[1]).hexdigest()}"') for part in listings[0]])
        first, second = (partial(storage.multipart.complete, key, upload, listed) for listed in listings)
        refusals = _at_once(first, second, late=random.random() * 0.004)
        assert refusals in ([NotFound], [Conflict])
        made.append((key, contents))
    time.sleep(3)
    assert [_content(storage, key) in contents for key, contents in made] == [True] * 30


@pytest.mark.parametrize("checksums", [True, False])
def test_amazon_is_handed_its_own_checksums_page_by_page(checksums: bool) -> None:
    contents = [bytes([65 + number]) * 10 for number in range(5)]
    amazon = Amazon()
    with _at(amazon) as storage:
        upload = begin(storage, "a", checksums=checksums)
        for number, content in enumerate(contents, start=1):
            put(storage, "a", upload, number, b"0" * 10, checked=checksums)
            put(storage, "a", upload, number, content, checked=checksums)
        listed = storage.multipart.parts("a", upload)
        stored = storage.multipart.complete("a", upload, listed)
        assert (stored.size, stored.etag) == (50, f'"{amazon.objects["/bucket/a"].etag}"')
        with pytest.raises(NotFound):
            storage.multipart.complete("a", upload, listed)
    assert [part.number for part in listed] == [1, 2, 3, 4, 5]
    assert [part.sha256 for part in listed] == [hexed(content) if checksums else None for content in contents]
    assert amazon.objects["/bucket/a"].content == b"".join(contents)


def test_whether_checksums_are_listed_is_tried_once_and_only_when_it_matters() -> None:
    amazon = Amazon()
    with _at(amazon) as storage:
        begin(storage, "a")
        assert amazon.calls == [("POST", "uploads")]
        amazon.calls.clear()
        begun = [begin(storage, "a", checksums=True) for _ in range(3)]
        tried = [("POST", "uploads"), ("PUT", "partNumber"), ("GET", "uploadId"), ("DELETE", "uploadId")]
        assert amazon.calls == tried + [("POST", "uploads")] * 3
    assert [amazon.begun[upload] for upload in begun] == [True] * 3


def test_under_keys_that_hide_the_md5s_the_size_alone_is_compared() -> None:
    with _at(Amazon(kms=True)) as storage:
        upload = begin(storage, "a")
        put(storage, "a", upload, 1, b"abc")
        assert storage.multipart.complete("a", upload, storage.multipart.parts("a", upload)).size == 3


@pytest.mark.parametrize("kms", [True, False])
def test_an_object_that_is_not_what_its_parts_make_is_a_conflict(kms: bool) -> None:
    with _at(Amazon(kms=kms, drops_last=True)) as storage:
        upload = begin(storage, "a")
        for number in (1, 2):
            put(storage, "a", upload, number, b"abc")
        with pytest.raises(Conflict) as caught:
            storage.multipart.complete("a", upload, storage.multipart.parts("a", upload))
    assert caught.value.code == "PARTS_CHANGED"


def _at_once(first: Callable[[], object], second: Callable[[], object], *, late: float) -> list[type[BiblioError]]:
    """The errors of two calls, of which the second begins `late` seconds after the first."""
    gate = threading.Barrier(2)

    def run(call: Callable[[], object], wait: float) -> type[BiblioError] | None:
        gate.wait()
        time.sleep(wait)
        try:
            call()
        except BiblioError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        return [kind for kind in pool.map(run, (first, second), (0, late)) if kind is not None]


def _content(storage: Storage, key: str) -> bytes | None:
    try:
        return b"".join(storage.read(key))
    except NotFound:
        return None
