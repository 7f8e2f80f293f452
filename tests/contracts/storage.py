"""What every object storage promises: one test for each line of `biblio.ports.storage.Storage`.

An adapter's test file subclasses `StorageContract` and supplies the fixture `storage`.
"""

import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from typing_extensions import Buffer

from biblio.errors import Conflict, InvalidInput, NotFound
from biblio.ports.storage import SignedRequest, Storage

MIB = 1024**2


class BrokenStream(io.RawIOBase):
    """Gives `size` bytes and then fails, like a program's output whose program died."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        if self._left == 0:
            raise OSError("the stream broke off")
        given = min(self._left, memoryview(buffer).nbytes)
        self._left -= given
        return given


class StorageContract:
    @pytest.fixture
    def folder(self, storage: Storage) -> Iterator[str]:
        """A prefix that belongs to one test."""
        storage.prepare()
        prefix = f"contract/{uuid4().hex}/"
        yield prefix
        storage.remove(prefix)

    def test_a_signed_upload_takes_the_stated_size_and_type_only_and_only_until_it_expires(
        self, storage: Storage, folder: str
    ) -> None:
        key, content = folder + "original.mp4", os.urandom(1000)
        upload = storage.sign_upload(key, size=1000, content_type="video/mp4", seconds=300)
        refused = [
            send(upload, content[:-1]),
            send(upload, content + b"!"),
            send(upload, b""),
            send(upload, content, {"Content-Type": "text/html"}),
            send(upload, content, {}),
            send(_at_url(upload, upload.url.replace("original.mp4", "another.mp4")), content),
            send(_at_url(upload, upload.url.split("?")[0]), content),
        ]
        assert [status for status in refused if not 400 <= status < 500] == []
        with pytest.raises(NotFound):
            storage.stat(key)
        assert send(upload, content) in {200, 201, 204}
        assert b"".join(storage.read(key)) == content
        short = storage.sign_upload(folder + "late.mp4", size=1000, content_type="video/mp4", seconds=1)
        wait_until(short.expires_at + timedelta(seconds=1.1))
        assert 400 <= send(short, content) < 500
        with pytest.raises(NotFound):
            storage.stat(folder + "late.mp4")

    def test_a_signed_upload_says_when_it_expires(self, storage: Storage, folder: str) -> None:
        before = datetime.now(UTC)
        upload = storage.sign_upload(folder + "a", size=1, content_type="video/mp4", seconds=300)
        assert upload.method == "PUT"
        assert upload.headers["Content-Type"] == "video/mp4"
        # No page may set it; every HTTP client does.
        assert "content-length" not in {name.lower() for name in upload.headers}
        assert timedelta(seconds=298) < upload.expires_at - before <= timedelta(seconds=300)

    def test_a_signed_upload_takes_the_bytes_of_its_sha256_only(self, storage: Storage, folder: str) -> None:
        key, content = folder + "original.mp4", os.urandom(1000)
        digest = sha256(content).hexdigest()
        upload = storage.sign_upload(key, size=1000, content_type="video/mp4", seconds=300, sha256=digest)
        other = os.urandom(1000)
        others = sha256(other).hexdigest()
        another = storage.sign_upload(key, size=1000, content_type="video/mp4", seconds=300, sha256=others)
        unchecked = storage.sign_upload(key, size=1000, content_type="video/mp4", seconds=300)
        refused = [
            send(upload, other),
            send(upload, other, dict(another.headers)),
            send(upload, content, dict(unchecked.headers)),
        ]
        assert [status for status in refused if not 400 <= status < 500] == []
        with pytest.raises(NotFound):
            storage.stat(key)
        assert send(upload, content) in {200, 201, 204}
        assert b"".join(storage.read(key)) == content

    def test_a_signed_upload_never_replaces_an_object(self, storage: Storage, folder: str) -> None:
        key = folder + "original.mp4"
        contents = [os.urandom(1000) for _ in range(17)]
        upload = storage.sign_upload(key, size=1000, content_type="video/mp4", seconds=300)
        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda content: send(upload, content), contents[:16]))
        first = [content for content, status in zip(contents, statuses, strict=False) if status in {200, 201, 204}]
        assert len(first) == 1
        assert [status for status in statuses if status >= 500] == []
        assert send(upload, contents[16]) == 412
        assert send(upload, contents[16], {"Content-Type": "video/mp4"}) in {400, 403}
        assert b"".join(storage.read(key)) == first[0]

    @pytest.mark.parametrize("file_name", ["talk.mp4", '강의 "1부" 🎓.mp4', "../a/b\r\nX: 1\u202egpj.mp4"])
    def test_a_signed_download_gives_the_object_and_ranges_of_it_under_its_file_name_and_only_until_it_expires(
        self, storage: Storage, folder: str, file_name: str
    ) -> None:
        key, content = folder + "original.mp4", os.urandom(5000)
        storage.write(key, io.BytesIO(content), content_type="video/mp4")
        download = storage.sign_download(key, file_name=file_name, content_type="video/mp4", seconds=2)
        answer = httpx.request(download.method, download.url, headers=dict(download.headers))
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-disposition"].endswith("UTF-8''" + quote(file_name, safe=""))
        part = httpx.get(download.url, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, content[1000:2000])
        wait_until(download.expires_at + timedelta(seconds=1.1))
        assert 400 <= httpx.get(download.url).status_code < 500

    @pytest.mark.parametrize("size", [0, 1, MIB, 20 * MIB + 7])
    def test_what_was_written_is_read_back_byte_for_byte(self, storage: Storage, folder: str, size: int) -> None:
        key, content = folder + "강의 a+b%2F.mp3", os.urandom(size)
        stream = io.BytesIO(b"before" + content)
        stream.seek(len("before"))
        written = storage.write(key, stream, content_type="audio/mpeg")
        assert (written.key, written.size, written.content_type) == (key, size, "audio/mpeg")
        assert storage.stat(key) == written
        pieces = list(storage.read(key))
        assert b"".join(pieces) == content
        assert max(map(len, pieces), default=0) <= MIB

    def test_a_stream_that_cannot_seek_is_written_whole(self, storage: Storage, folder: str) -> None:
        content = os.urandom(9 * MIB)
        source, sink = os.pipe()
        with ThreadPoolExecutor() as pool, os.fdopen(source, "rb") as stream:
            pool.submit(_pour, sink, content)
            storage.write(folder + "piped", stream, content_type="audio/mpeg")
        assert b"".join(storage.read(folder + "piped")) == content

    def test_a_second_write_replaces_the_first(self, storage: Storage, folder: str) -> None:
        first = storage.write(folder + "a", io.BytesIO(b"first"), content_type="text/plain")
        second = storage.write(folder + "a", io.BytesIO(b"the second"), content_type="text/plain")
        assert first.etag != second.etag
        assert b"".join(storage.read(folder + "a")) == b"the second"

    @pytest.mark.parametrize("size", [1000, 20 * MIB])
    def test_a_write_that_breaks_off_leaves_what_was_there(self, storage: Storage, folder: str, size: int) -> None:
        storage.write(folder + "a", io.BytesIO(b"before"), content_type="text/plain")
        for key in ("a", "new"):
            with pytest.raises(OSError, match="broke off"):
                storage.write(folder + key, io.BufferedReader(BrokenStream(size)), content_type="text/plain")
        assert b"".join(storage.read(folder + "a")) == b"before"
        with pytest.raises(NotFound):
            storage.stat(folder + "new")

    @pytest.mark.parametrize(
        ("start", "end"), [(0, 1), (0, None), (1, None), (7, 8), (MIB - 1, MIB + 1), (5, 3 * MIB), (3 * MIB - 1, None)]
    )
    def test_a_ranged_read_gives_exactly_the_asked_bytes(
        self, storage: Storage, folder: str, start: int, end: int | None
    ) -> None:
        content = os.urandom(3 * MIB)
        etag = storage.write(folder + "a", io.BytesIO(content), content_type="video/mp4").etag
        pieces = list(storage.read(folder + "a", start=start, end=end, etag=etag))
        assert b"".join(pieces) == content[start:end]
        assert max(map(len, pieces)) <= MIB

    def test_a_range_that_reaches_past_the_end_stops_there(self, storage: Storage, folder: str) -> None:
        storage.write(folder + "a", io.BytesIO(b"0123456789"), content_type="video/mp4")
        assert b"".join(storage.read(folder + "a", start=8, end=100)) == b"89"

    @pytest.mark.parametrize(("start", "end"), [(10, None), (10, 12), (4, 4), (5, 4), (-1, None), (0, 0)])
    def test_a_range_outside_the_object_is_invalid(
        self, storage: Storage, folder: str, start: int, end: int | None
    ) -> None:
        storage.write(folder + "a", io.BytesIO(b"0123456789"), content_type="video/mp4")
        with pytest.raises(InvalidInput) as caught:
            list(storage.read(folder + "a", start=start, end=end))
        assert caught.value.code == "RANGE_OUTSIDE_OBJECT"

    def test_a_read_pinned_to_an_etag_refuses_other_bytes(self, storage: Storage, folder: str) -> None:
        first = storage.write(folder + "a", io.BytesIO(b"first"), content_type="video/mp4")
        storage.write(folder + "a", io.BytesIO(b"other"), content_type="video/mp4")
        for start in (0, 2):
            with pytest.raises(Conflict) as caught:
                list(storage.read(folder + "a", start=start, etag=first.etag))
            assert caught.value.code == "OBJECT_CHANGED"

    def test_a_read_may_be_closed_before_its_end(self, storage: Storage, folder: str) -> None:
        storage.write(folder + "a", io.BytesIO(bytes(20 * MIB)), content_type="video/mp4")
        for _ in range(40):
            pieces = storage.read(folder + "a")
            next(pieces)
            pieces.close()
        assert storage.stat(folder + "a").size == 20 * MIB

    def test_a_missing_object_is_not_found(self, storage: Storage, folder: str) -> None:
        with pytest.raises(NotFound):
            storage.stat(folder + "missing")
        with pytest.raises(NotFound):
            next(storage.read(folder + "missing"))
        with pytest.raises(NotFound):
            next(storage.read(folder + "missing", start=3, etag='"0123"'))

    def test_removing_a_prefix_removes_all_below_it_and_nothing_beside_it_and_may_be_repeated(
        self, storage: Storage, folder: str
    ) -> None:
        gone = ["v1/original.mp4", "v1/audio_extracted.mp3", "v1/deep/er/강의 <&>.json", "v1/ends with space "]
        kept = ["v10/original.mp4", "v1.mp4", "v2/original.mp4"]
        for name in gone + kept:
            storage.write(folder + name, io.BytesIO(b"x"), content_type="video/mp4")
        assert storage.remove(folder + "v1/") == len(gone)
        for name in gone:
            with pytest.raises(NotFound):
                storage.stat(folder + name)
        assert [storage.stat(folder + name).size for name in kept] == [1, 1, 1]
        assert storage.remove(folder + "v1/") == 0

    def test_removing_a_key_removes_what_lies_at_it_and_nothing_beside_it(self, storage: Storage, folder: str) -> None:
        kept = ["강의.mp4.old", "강의.mp4/notes", "강의"]
        for name in ("강의.mp4", *kept):
            storage.write(folder + name, io.BytesIO(b"x"), content_type="video/mp4")
        unfinished = [folder + "강의.mp4", folder + "강의.mp4.new"]
        for key in unfinished:
            storage.multipart.begin(key, content_type="video/mp4", checksums=False)
        assert storage.remove(folder + "강의.mp4") == 1
        assert {one.key for one in storage.inventory.objects(folder)} == {folder + name for name in kept}
        assert [key for key, _ in storage.inventory.uploads(folder)] == unfinished[1:]

    def test_an_empty_prefix_is_refused(self, storage: Storage, folder: str) -> None:
        storage.write(folder + "a", io.BytesIO(b"x"), content_type="video/mp4")
        with pytest.raises(InvalidInput):
            storage.remove("")
        assert storage.stat(folder + "a").size == 1

    def test_preparing_may_be_repeated_and_by_many_at_once(self, storage: Storage) -> None:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(storage.prepare) for _ in range(16)]:
                done.result()
        storage.ping()

    def test_many_threads_share_one_storage(self, storage: Storage, folder: str) -> None:
        def round_trip(number: int) -> bool:
            content = os.urandom(100_000 + number)
            storage.write(f"{folder}{number}", io.BytesIO(content), content_type="video/mp4")
            return b"".join(storage.read(f"{folder}{number}")) == content

        with ThreadPoolExecutor(24) as pool:
            assert all(pool.map(round_trip, range(48)))


def send(request: SignedRequest, content: bytes, headers: dict[str, str] | None = None) -> int:
    chosen = dict(request.headers) if headers is None else headers
    return httpx.request(request.method, request.url, content=content, headers=chosen).status_code


def _at_url(request: SignedRequest, url: str) -> SignedRequest:
    return SignedRequest(request.method, url, request.headers, request.expires_at)


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _pour(sink: int, content: bytes) -> None:
    with os.fdopen(sink, "wb") as stream:
        stream.write(content)
