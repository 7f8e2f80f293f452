"""What every storage promises of uploads in parts: one test for each line of `biblio.ports.multipart.MultipartUploads`.

An adapter's test file subclasses `MultipartContract` and supplies the fixture `storage`.
"""

import io
import os
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest

from biblio.errors import Conflict, NotFound
from biblio.ports.multipart import StoredPart
from biblio.ports.storage import SignedRequest, Storage, StoredObject
from tests.contracts.storage import send, wait_until

SMALLEST = 5 * 1024**2
TAKEN = {200, 201, 204}
TYPE = "video/x-matroska"  # not what storage would guess from the keys below


class MultipartContract:
    @pytest.fixture
    def folder(self, storage: Storage) -> Iterator[str]:
        """A prefix that belongs to one test."""
        storage.prepare()
        prefix = f"multipart/{uuid4().hex}/"
        yield prefix
        storage.remove(prefix)

    @pytest.fixture
    def key(self, folder: str) -> str:
        return f"{folder}강의 1/original.mp4"

    @pytest.mark.parametrize("checksums", [False, True])
    def test_parts_in_any_order_become_one_object_byte_for_byte(
        self, storage: Storage, key: str, checksums: bool
    ) -> None:
        contents = [os.urandom(SMALLEST + number) for number in range(5)] + [b"the rest"]
        upload = begin(storage, key, checksums=checksums)
        numbered = list(enumerate(contents, start=1))
        random.shuffle(numbered)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda part: put(storage, key, upload, *part, checked=checksums), numbered))
        listed = storage.multipart.parts(key, upload)
        assert [(part.number, part.size) for part in listed] == [(n + 1, len(c)) for n, c in enumerate(contents)]
        stored = storage.multipart.complete(key, upload, list(reversed(listed)))
        assert (stored.key, stored.size, stored.content_type) == (key, sum(map(len, contents)), TYPE)
        assert storage.stat(key) == stored
        assert b"".join(storage.read(key, etag=stored.etag)) == b"".join(contents)

    def test_a_signed_part_takes_the_stated_size_only_and_only_until_it_expires(
        self, storage: Storage, key: str
    ) -> None:
        upload, content = begin(storage, key), os.urandom(1000)
        part = storage.multipart.sign_part(key, upload, 1, size=1000, seconds=300)
        others = [
            ("partNumber=1", "partNumber=2"),
            ("original.mp4", "another.mp4"),
            ("-Expires=300", "-Expires=3000"),
        ]
        refused = [send(part, content[:-1]), send(part, content + b"!"), send(part, b"")]
        refused += [send(_at_url(part, part.url.replace(*other)), content) for other in others]
        assert [status for status in refused if not 400 <= status < 500] == []
        late = storage.multipart.sign_part(key, upload, 1, size=1000, seconds=1)
        wait_until(late.expires_at + timedelta(seconds=1.1))
        assert 400 <= send(late, content) < 500
        assert storage.multipart.parts(key, upload) == []
        assert part.method == "PUT"
        assert send(part, content) in TAKEN

    def test_a_signed_part_takes_the_bytes_of_its_sha256_only(self, storage: Storage, key: str) -> None:
        upload, content, other = begin(storage, key, checksums=True), os.urandom(1000), os.urandom(1000)
        part = storage.multipart.sign_part(key, upload, 1, size=1000, seconds=300, sha256=hexed(content))
        another = storage.multipart.sign_part(key, upload, 1, size=1000, seconds=300, sha256=hexed(other))
        refused = [send(part, other), send(part, other, dict(another.headers)), send(part, content, {})]
        assert [status for status in refused if not 400 <= status < 500] == []
        assert storage.multipart.parts(key, upload) == []
        assert send(part, content) in TAKEN
        assert [part.sha256 for part in storage.multipart.parts(key, upload)] in ([None], [hexed(content)])

    def test_a_part_sent_again_replaces_the_first(self, storage: Storage, key: str) -> None:
        uploads = {f"{key}.{number}": begin(storage, f"{key}.{number}") for number in range(8)}
        for again in (b"first", b"other"):
            for name, upload in uploads.items():
                put(storage, name, upload, 1, again + name.encode())
            # Storage may tell copies apart by the second only.
            time.sleep(1.1)
        for name, upload in uploads.items():
            listed = storage.multipart.parts(name, upload)
            assert [part.number for part in listed] == [1]
            storage.multipart.complete(name, upload, listed)
            assert b"".join(storage.read(name)) == b"other" + name.encode()

    def test_parts_are_listed_as_they_are_stored_past_a_page_too(self, storage: Storage, key: str) -> None:
        upload, count = begin(storage, key), 1_010
        with httpx.Client() as client, ThreadPoolExecutor(8) as pool:

            def put_one(number: int) -> int:
                part = storage.multipart.sign_part(key, upload, number, size=number % 7 + 1, seconds=300)
                return client.put(part.url, content=bytes(number % 7 + 1), headers=dict(part.headers)).status_code

            assert set(pool.map(put_one, random.sample(range(1, count + 1), count))) <= TAKEN
        listed = storage.multipart.parts(key, upload)
        assert [(part.number, part.size) for part in listed] == [(n, n % 7 + 1) for n in range(1, count + 1)]

    def test_an_upload_that_ended_is_not_found(self, storage: Storage, key: str) -> None:
        completed, aborted = begin(storage, key), begin(storage, f"{key}.2")
        part = put(storage, key, completed, 1, b"abc")
        other = put(storage, f"{key}.2", aborted, 1, b"abc")
        listed = storage.multipart.parts(key, completed)
        storage.multipart.complete(key, completed, listed)
        storage.multipart.abort(f"{key}.2", aborted)
        for ended, name in ((completed, key), (aborted, f"{key}.2"), (completed, f"{key}.3"), ("never-was", key)):
            with pytest.raises(NotFound):
                storage.multipart.parts(name, ended)
        for ended, name in ((aborted, f"{key}.2"), ("never-was", f"{key}.3")):
            with pytest.raises(NotFound):
                storage.multipart.complete(name, ended, listed)
        assert [send(part, b"xyz"), send(other, b"xyz")] == [404, 404]
        assert b"".join(storage.read(key)) == b"abc"

    @pytest.mark.parametrize("wrong", ["etag", "number"])
    def test_completing_takes_the_listed_parts_only(self, storage: Storage, key: str, wrong: str) -> None:
        upload, contents = begin(storage, key), [os.urandom(SMALLEST), os.urandom(SMALLEST), b"the rest"]
        for number, content in enumerate(contents, start=1):
            put(storage, key, upload, number, content)
        first, second, last = storage.multipart.parts(key, upload)
        changed = replace(second, etag=first.etag) if wrong == "etag" else replace(last, number=4)
        with pytest.raises(Conflict) as caught:
            storage.multipart.complete(key, upload, [first, changed, *([last] if wrong == "etag" else [])])
        assert caught.value.code == "PARTS_CHANGED"
        with pytest.raises(NotFound):
            storage.stat(key)
        assert storage.multipart.complete(key, upload, [first, last]).size == SMALLEST + len(contents[2])
        assert b"".join(storage.read(key)) == contents[0] + contents[2]

    def test_completing_with_a_part_replaced_since_it_was_listed_takes_the_listed_one_or_none(
        self, storage: Storage, key: str
    ) -> None:
        upload, content = begin(storage, key), os.urandom(1000)
        put(storage, key, upload, 1, content)
        listed = storage.multipart.parts(key, upload)
        put(storage, key, upload, 1, content[::-1])
        refusal = None
        try:
            storage.multipart.complete(key, upload, listed)
        except Conflict as error:
            refusal = error.code
        assert refusal in (None, "PARTS_CHANGED")
        if refusal is None:
            assert b"".join(storage.read(key)) == content

    @pytest.mark.parametrize("callers", [2, 16])
    def test_completing_again_and_at_once_ends_in_the_same_object_or_is_not_found(
        self, storage: Storage, key: str, callers: int
    ) -> None:
        upload, contents = begin(storage, key), [os.urandom(SMALLEST), os.urandom(1000)]
        for number, content in enumerate(contents, start=1):
            put(storage, key, upload, number, content)
        listed = storage.multipart.parts(key, upload)
        gate = threading.Barrier(callers)

        def complete(_caller: int) -> StoredObject | None:
            gate.wait()
            return completed(storage, key, upload, listed)

        with ThreadPoolExecutor(callers) as pool:
            ends = {*pool.map(complete, range(callers)), completed(storage, key, upload, listed)}
        stored = storage.stat(key)
        assert ends - {None} == {stored}
        assert b"".join(storage.read(key)) == b"".join(contents)
        # With another list than the one it was made of, it is no success.
        with pytest.raises((Conflict, NotFound)):
            storage.multipart.complete(key, upload, listed[:1])
        assert storage.stat(key) == stored

    def test_an_aborted_upload_leaves_nothing_and_may_be_aborted_again(self, storage: Storage, key: str) -> None:
        upload = begin(storage, key)
        put(storage, key, upload, 1, os.urandom(SMALLEST))
        kept = begin(storage, key)
        put(storage, key, kept, 1, b"kept")
        for _ in range(2):
            storage.multipart.abort(key, upload)
        storage.multipart.abort(key, "never-was")
        with pytest.raises(NotFound):
            storage.multipart.parts(key, upload)
        with pytest.raises(NotFound):
            storage.stat(key)
        storage.multipart.complete(key, kept, storage.multipart.parts(key, kept))
        storage.multipart.abort(key, kept)
        assert b"".join(storage.read(key)) == b"kept"

    def test_an_unfinished_upload_is_no_object(self, storage: Storage, folder: str, key: str) -> None:
        upload = begin(storage, key)
        part = put(storage, key, upload, 1, os.urandom(SMALLEST))
        with pytest.raises(NotFound):
            storage.stat(key)
        assert storage.remove(folder) == 0
        with pytest.raises(NotFound):
            storage.multipart.parts(key, upload)
        assert send(part, bytes(SMALLEST)) == 404

    def test_clearing_a_prefix_aborts_every_upload_below_it_and_touches_no_object(
        self, storage: Storage, folder: str
    ) -> None:
        storage.write(folder + "v1/original.mp4", io.BytesIO(b"object"), content_type=TYPE)
        below = [begin(storage, folder + name) for name in ("v1/original.mp4", "v1/original.mp4", "v1/other.mp4")]
        beside = begin(storage, folder + "v10/original.mp4")
        storage.multipart.clear(folder + "v1/")
        for upload, name in zip(below, ("original.mp4", "original.mp4", "other.mp4"), strict=True):
            with pytest.raises(NotFound):
                storage.multipart.parts(folder + f"v1/{name}", upload)
        assert storage.multipart.parts(folder + "v10/original.mp4", beside) == []
        assert b"".join(storage.read(folder + "v1/original.mp4")) == b"object"


def begin(storage: Storage, key: str, *, checksums: bool = False) -> str:
    return storage.multipart.begin(key, content_type=TYPE, checksums=checksums)


def put(
    storage: Storage, key: str, upload: str, number: int, content: bytes, *, checked: bool = False
) -> SignedRequest:
    """Send a part; the request that may be made again."""
    digest = hexed(content) if checked else None
    part = storage.multipart.sign_part(key, upload, number, size=len(content), seconds=300, sha256=digest)
    assert send(part, content) in TAKEN
    return part


def completed(storage: Storage, key: str, upload: str, parts: Sequence[StoredPart]) -> StoredObject | None:
    try:
        return storage.multipart.complete(key, upload, parts)
    except NotFound:
        return None


def hexed(content: bytes) -> str:
    return sha256(content).hexdigest()


def _at_url(request: SignedRequest, url: str) -> SignedRequest:
    assert url != request.url
    return replace(request, url=url)
