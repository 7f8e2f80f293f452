"""Large files, in parts: the JSON literally, and every way in which an upload goes on or ends."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from biblio.domain import keys
from biblio.domain.flow import Queue
from biblio.errors import NotFound
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import work
from biblio.pipeline.sweep import settle, sweep
from biblio.ports.uploads import Upload
from tests.api.conftest import MIB, Api
from tests.api.sending import FILE, PART, begin, complete, create, piece, send, sign, stored


def test_a_large_file_is_sent_in_parts(api: Api) -> None:
    created = create(api.http).json()
    video_id, upload = created["video_id"], created["upload"]
    assert set(upload) == {"method", "part_size", "part_count", "parts_url", "expires_at"}
    assert (upload["method"], upload["part_size"], upload["part_count"]) == ("MULTIPART", PART, 3)
    assert upload["parts_url"] == f"/api/videos/{video_id}/upload/parts"
    assert api.http.get(upload["parts_url"]).json() == {
        "video_id": video_id, "part_size": PART, "part_count": 3, "checksums": None, "parts": [], "missing": [1, 2, 3],
    }  # fmt: skip
    parts = sign(api.http, video_id, [3, 1, 2])
    assert [set(part) for part in parts] == [{"number", "size", "method", "url", "headers", "expires_at"}] * 3
    assert [(part["number"], part["size"], part["method"]) for part in parts] == [
        (3, len(FILE) - 2 * PART, "PUT"), (1, PART, "PUT"), (2, PART, "PUT"),
    ]  # fmt: skip
    for part in parts:
        assert httpx.put(part["url"], content=piece(part["number"]), headers=part["headers"]).status_code == 200
    listed = api.http.get(upload["parts_url"]).json()
    assert [(part["number"], part["size"]) for part in listed["parts"]] == [(1, PART), (2, PART), (3, 4 * MIB + 12)]
    assert (listed["missing"], listed["checksums"]) == ([], False)
    answer = complete(api.http, video_id)
    assert (answer.status_code, answer.json()) == (
        202,
        {
            "message": "Processing started",
            "video_id": video_id,
            "status": "PENDING",
            "check_status_url": f"/api/videos/{video_id}/status",
        },
    )
    assert stored(api, video_id) == FILE
    assert complete(api.http, video_id).status_code == 202


def test_what_is_missing_is_named_and_only_that_is_sent_again(api: Api) -> None:
    video_id = begin(api.http)
    none = complete(api.http, video_id).json()
    assert (none["code"], none["numbers"]) == ("PARTS_MISSING", [1, 2, 3])
    send(api.http, video_id, [1, 3])
    answer = complete(api.http, video_id)
    assert (answer.status_code, answer.json()["code"], answer.json()["numbers"]) == (409, "PARTS_MISSING", [2])
    with pytest.raises(NotFound):
        api.services.storage.stat(keys.original(video_id, "mp4"))
    assert api.http.get(f"/api/videos/{video_id}/upload/parts").json()["missing"] == [2]
    send(api.http, video_id, [2])
    assert complete(api.http, video_id).status_code == 202
    assert stored(api, video_id) == FILE


def test_an_upload_goes_on_elsewhere(api: Api) -> None:
    fingerprint = uuid4().hex
    large = begin(api.http, fingerprint=fingerprint)
    small = begin(api.http, FILE[:100], fingerprint=fingerprint)
    begin(api.http, fingerprint="another")
    listing = api.http.get("/api/videos", params={"status": "UPLOADING", "fingerprint": fingerprint}).json()["videos"]
    uploads = {video["video_id"]: video["upload"] for video in listing}
    assert uploads.keys() == {large, small}
    assert uploads[large]["method"] == "MULTIPART"
    assert api.http.get(f"/api/videos/{large}").json()["upload"] == uploads[large]
    put = uploads[small]
    assert httpx.put(put["url"], content=FILE[:100], headers=put["headers"]).status_code == 200
    send(api.http, large, [1, 2, 3])
    for video_id in (large, small):
        assert complete(api.http, video_id).status_code == 202
        assert api.http.get(f"/api/videos/{video_id}").json()["upload"] is None
    assert all(video["upload"] is None for video in api.http.get("/api/videos").json()["videos"])


def test_a_client_that_died_after_its_last_byte_finds_its_video_again(api: Api) -> None:
    fingerprint = uuid4().hex
    video_id = begin(api.http, fingerprint=fingerprint)
    asked = {"acknowledged": "false", "fingerprint": fingerprint}
    send(api.http, video_id, [1, 2, 3])
    assert api.http.get("/api/videos", params=asked).json()["videos"][0]["upload"]["method"] == "MULTIPART"
    sweep(api.services)
    (found,) = api.http.get("/api/videos", params=asked).json()["videos"]
    assert (found["video_id"], found["status"], found["upload"]) == (video_id, "PENDING", None)
    assert complete(api.http, video_id).status_code == 202
    assert api.http.get("/api/videos", params=asked).json()["videos"] == []


def test_parts_with_checksums(api: Api) -> None:
    video_id = begin(api.http)
    digests = {str(number): hashlib.sha256(piece(number)).hexdigest() for number in (1, 2, 3)}
    first, *_ = sign(api.http, video_id, [1, 2, 3], sha256=digests)
    wrong = bytes(PART)
    assert httpx.put(first["url"], content=wrong, headers=first["headers"]).status_code == 400
    assert api.http.get(f"/api/videos/{video_id}/upload/parts").json()["missing"] == [1, 2, 3]
    without = api.http.post(f"/api/videos/{video_id}/upload/parts", json={"numbers": [2]})
    assert (without.status_code, without.json()["code"]) == (422, "CHECKSUM_MISSING")
    send(api.http, video_id, [1, 2, 3], sha256=digests)
    assert api.http.get(f"/api/videos/{video_id}/upload/parts").json()["checksums"] is True
    assert complete(api.http, video_id).status_code == 202
    assert stored(api, video_id) == FILE
    plain = begin(api.http)
    sign(api.http, plain, [1])
    body = {"numbers": [1], "sha256": {"1": digests["1"]}}
    assert api.http.post(f"/api/videos/{plain}/upload/parts", json=body).json()["code"] == "CHECKSUM_UNEXPECTED"


def test_a_refused_request_decides_nothing(api: Api) -> None:
    video_id = begin(api.http)
    body = {"numbers": [1], "sha256": {"3": "ab" * 32}}
    refused = api.http.post(f"/api/videos/{video_id}/upload/parts", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "CHECKSUM_MISSING")
    assert api.http.get(f"/api/videos/{video_id}/upload/parts").json()["checksums"] is None
    send(api.http, video_id, [1, 2, 3])
    assert complete(api.http, video_id).status_code == 202


def test_what_a_dead_process_began_is_cleared_at_last(api: Api) -> None:
    video_id = begin(api.http)
    stray = api.services.storage.multipart.begin(keys.original(video_id, "mp4"), content_type="a/b", checksums=False)
    send(api.http, video_id, [1, 2, 3])
    complete(api.http, video_id)
    upload = Upload(video_id, datetime.now(UTC), is_silent=True)
    settle(api.services, upload)
    with pytest.raises(NotFound):
        api.services.storage.multipart.parts(keys.original(video_id, "mp4"), stray)
    assert stored(api, video_id) == FILE


def test_an_aborted_upload_leaves_nothing(api: Api) -> None:
    video_id = begin(api.http)
    late, *_ = sign(api.http, video_id, [3])
    send(api.http, video_id, [1, 2])
    for _ in range(2):
        answer = api.http.delete(f"/api/videos/{video_id}/upload")
        assert (answer.status_code, answer.json()) == (200, {"video_id": video_id, "status": "CANCELED"})
    assert httpx.put(late["url"], content=piece(3), headers=late["headers"]).status_code == 404
    assert api.services.storage.remove(keys.video_prefix(video_id)) == 0
    for call in (
        complete(api.http, video_id),
        api.http.get(f"/api/videos/{video_id}/upload/parts"),
        api.http.post(f"/api/videos/{video_id}/upload/parts", json={"numbers": [1]}),
    ):
        assert (call.status_code, call.json()["code"]) == (409, "UPLOAD_ENDED")
    assert api.http.get(f"/api/videos/{video_id}/media").json()["code"] == "NOT_READY"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"numbers": []}, "INVALID_INPUT"),
        ({"numbers": list(range(1, 102))}, "INVALID_INPUT"),
        ({"numbers": [0]}, "PART_OUT_OF_RANGE"),
        ({"numbers": [-1]}, "PART_OUT_OF_RANGE"),
        ({"numbers": [4]}, "PART_OUT_OF_RANGE"),
        ({"numbers": [10**30]}, "PART_OUT_OF_RANGE"),
        ({"numbers": ["1"]}, "INVALID_INPUT"),
        ({"numbers": [1], "sha256": {"1": "abc"}}, "INVALID_SHA256"),
        ({"numbers": [1], "sha256": {"one": "ab" * 32}}, "INVALID_INPUT"),
        ({}, "INVALID_INPUT"),
    ],
)
def test_senseless_parts(api: Api, body: dict[str, Any], code: str) -> None:
    video_id = begin(api.http)
    answer = api.http.post(f"/api/videos/{video_id}/upload/parts", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_calls_at_the_wrong_moment(api: Api) -> None:
    small = begin(api.http, FILE[:100])
    for call in (
        api.http.get(f"/api/videos/{small}/upload/parts"),
        api.http.post(f"/api/videos/{small}/upload/parts", json={"numbers": [1]}),
    ):
        assert (call.status_code, call.json()["code"]) == (409, "NOT_MULTIPART")
    done = begin(api.http)
    send(api.http, done, [1, 2, 3])
    complete(api.http, done)
    for call in (
        api.http.get(f"/api/videos/{done}/upload/parts"),
        api.http.post(f"/api/videos/{done}/upload/parts", json={"numbers": [1]}),
        api.http.delete(f"/api/videos/{done}/upload"),
    ):
        assert (call.status_code, call.json()["code"]) == (409, "ALREADY_UPLOADED")
    assert stored(api, done) == FILE


def test_anothers_upload_is_not_there(api: Api) -> None:
    video_id = begin(api.http)
    with api.stranger() as other:
        for call in (
            other.get(f"/api/videos/{video_id}/upload/parts"),
            other.post(f"/api/videos/{video_id}/upload/parts", json={"numbers": [1]}),
            other.delete(f"/api/videos/{video_id}/upload"),
            complete(other, video_id),
        ):
            assert (call.status_code, call.json()["code"]) == (404, "VIDEO_NOT_FOUND")
        assert other.get("/api/videos", params={"status": "UPLOADING"}).json()["videos"] == []


def test_many_who_sign_at_once_fill_one_upload(api: Api) -> None:
    video_id = begin(api.http)
    with ThreadPoolExecutor(12) as pool:
        signed = list(pool.map(lambda n: sign(api.http, video_id, [n % 3 + 1])[0], range(24)))
    for part in signed[:3]:
        assert httpx.put(part["url"], content=piece(part["number"]), headers=part["headers"]).status_code == 200
    assert complete(api.http, video_id).status_code == 202
    assert stored(api, video_id) == FILE


@pytest.mark.parametrize("asked", ["parts", "complete"])
def test_an_upload_that_storage_threw_away_begins_anew(api: Api, asked: str) -> None:
    video_id = begin(api.http)
    send(api.http, video_id, [1, 2])
    api.services.storage.remove(keys.video_prefix(video_id))  # as a lifecycle rule does
    if asked == "parts":
        assert api.http.get(f"/api/videos/{video_id}/upload/parts").json()["missing"] == [1, 2, 3]
    else:
        assert complete(api.http, video_id).json()["numbers"] == [1, 2, 3]
    send(api.http, video_id, [1, 2, 3])
    assert complete(api.http, video_id).status_code == 202
    assert stored(api, video_id) == FILE


def test_bytes_that_are_no_film_fail_the_video(api: Api) -> None:
    content = os.urandom(9 * MIB + 1)
    video_id = begin(api.http, content)
    send(api.http, video_id, [1, 2], content)
    for _ in range(2):
        assert complete(api.http, video_id).json()["code"] == "UNREADABLE_MEDIA"
    assert api.http.get(f"/api/videos/{video_id}/status").json()["status"] == "FAILED"


def test_a_file_in_parts_that_is_not_the_declared_one_fails(api: Api) -> None:
    declared = {False: hashlib.sha256(b"another file").hexdigest(), True: hashlib.sha256(FILE).hexdigest()}
    for is_right, digest in declared.items():
        video_id = begin(api.http, sha256=digest)
        send(api.http, video_id, [1, 2, 3])
        assert complete(api.http, video_id).status_code == 202
        error = None
        while error is None:  # other videos' jobs may come first
            assert work(api.services, Queue.MEDIA, Worker("by hand"))
            error = api.http.get(f"/api/videos/{video_id}/status").json()["error"]
        # The right one is no film either, but that is found out later.
        assert error["code"] == ("UNREADABLE_MEDIA" if is_right else "CHECKSUM_MISMATCH")


def test_a_single_put_takes_the_declared_bytes_only(api: Api) -> None:
    content = FILE[:1000]
    upload = create(api.http, content, sha256=hashlib.sha256(content).hexdigest()).json()["upload"]
    other = content[:-1] + bytes([content[-1] ^ 1])
    assert httpx.put(upload["url"], content=other, headers=upload["headers"]).status_code == 400
    assert httpx.put(upload["url"], content=content, headers=upload["headers"]).status_code == 200
    assert httpx.put(upload["url"], content=content, headers=upload["headers"]).status_code == 412
