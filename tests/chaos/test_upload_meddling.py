"""Bytes that are not what was declared, or change afterwards: refused or noticed, never taken in silence (S5, S6)."""

import base64
import random
import time
from uuid import uuid4

import pytest

from biblio.domain.flow import Queue, Status
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import work
from biblio.pipeline.sweep import sweep
from tests.chaos.place import BEGINNING, MIB, Place
from tests.chaos.sending import (
    ONE_PART,
    PART,
    SMALL,
    THREE_PARTS,
    TWO_PARTS,
    Sender,
    at_once,
    body,
    piece,
    problem,
    sha256,
)

STORAGE_TICK = 1.1
"""Seconds. SeaweedFS keeps every copy of a part, and tells which is the newer by whole seconds."""


def completed(sender: Sender, content: bytes) -> str:
    video_id = sender.send(content)
    body(sender.complete(video_id), 202)
    return video_id


@pytest.fixture
def three_parts(sender: Sender) -> str:
    video_id: str = sender.announce(len(THREE_PARTS))["video_id"]
    return video_id


class TestAfterTheEnd:
    @pytest.mark.parametrize("content", [SMALL, TWO_PARTS], ids=["one PUT", "in parts"])
    @pytest.mark.parametrize("change", [b"other bytes", None], ids=["other length", "same length"])
    def test_an_overwritten_object_is_noticed(self, sender: Sender, content: bytes, change: bytes | None) -> None:
        place, video_id = sender.place, completed(sender, content)
        body(sender.get(video_id, "media"), 200)
        other = change or BEGINNING + random.Random(1).randbytes(len(content) - len(BEGINNING))
        place.s3.put_object(Bucket=place.bucket, Key=place.video(video_id).key, Body=other)
        assert problem(sender.get(video_id, "media")) == (409, "OBJECT_CHANGED")
        while place.video(video_id).status is not Status.FAILED:
            assert work(place.services, Queue.MEDIA, Worker("meddling"))
        failed = place.video(video_id)
        assert failed.status is Status.FAILED
        assert failed.failure
        assert failed.failure.code == "OBJECT_CHANGED"
        body(sender.complete(video_id), 202)
        assert place.video(video_id).status is Status.FAILED, "a late call starts nothing"

    def test_a_replayed_put_is_refused(self, sender: Sender) -> None:
        created = sender.announce(len(SMALL))
        assert sender.put(created["upload"], SMALL).status_code == 200
        other = BEGINNING + bytes(len(SMALL) - len(BEGINNING))
        assert sender.put(created["upload"], other).status_code == 412
        body(sender.complete(created["video_id"]), 202)
        assert sender.put(created["upload"], other).status_code == 412
        assert sender.place.sha256(created["video_id"]) == sha256(SMALL)
        body(sender.get(created["video_id"], "media"), 200)

    def test_a_late_part_is_refused(self, sender: Sender) -> None:
        video_id = sender.announce(len(TWO_PARTS))["video_id"]
        signed = sender.put_parts(video_id, TWO_PARTS)
        body(sender.complete(video_id), 202)
        assert sender.put(signed[1], bytes(PART)).status_code == 404
        assert sender.place.sha256(video_id) == sha256(TWO_PARTS)
        assert sender.place.unfinished(video_id) == []
        asked = sender.post(video_id, "upload/parts", json={"numbers": [1]})
        assert problem(asked) == (409, "ALREADY_UPLOADED")
        assert problem(sender.abort(video_id)) == (409, "ALREADY_UPLOADED")

    def test_a_late_part_of_an_aborted_upload_is_refused(self, sender: Sender, three_parts: str) -> None:
        signed = sender.put_parts(three_parts, THREE_PARTS, [1])
        assert body(sender.abort(three_parts), 200)["status"] == "CANCELED"
        assert body(sender.abort(three_parts), 200)["status"] == "CANCELED"
        assert sender.put(signed[1], bytes(PART)).status_code == 404
        place = sender.place
        assert (place.objects(three_parts), place.unfinished(three_parts)) == ([], [])
        assert problem(sender.complete(three_parts)) == (409, "UPLOAD_ENDED")

    def test_completing_again_and_again_says_the_same(self, sender: Sender) -> None:
        video_id = sender.send(TWO_PARTS)
        answers = [sender.complete(video_id) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [202] * 5
        assert len({answer.text for answer in answers}) == 1
        assert len(sender.place.jobs(video_id)) == 1


class TestOnePut:
    @pytest.mark.parametrize("change", [b"+", b""], ids=["longer", "shorter"])
    def test_another_length_is_refused(self, sender: Sender, change: bytes) -> None:
        created = sender.announce(len(SMALL))
        assert sender.put(created["upload"], SMALL + change if change else SMALL[:-1]).status_code == 403
        assert problem(sender.complete(created["video_id"])) == (409, "OBJECT_MISSING")

    def test_another_type_key_or_method_is_refused(self, sender: Sender) -> None:
        upload = sender.announce(len(SMALL))["upload"]
        key = sender.place.video(upload["url"].partition("videos/")[2].partition("/")[0]).key
        elsewhere = {**upload, "url": upload["url"].replace(key, f"videos/{uuid4()}/original.mp4")}
        retyped = {**upload, "headers": {**upload["headers"], "Content-Type": "text/html"}}
        unguarded = {**upload, "headers": {"Content-Type": "video/mp4"}}
        for other in (elsewhere, retyped, unguarded):
            assert sender.put(other, SMALL).status_code == 403
        for method in ("GET", "DELETE", "POST"):
            assert sender.storage.request(method, upload["url"], headers=upload["headers"]).status_code in (403, 405)

    def test_other_bytes_than_the_declared_sha256_are_refused(self, sender: Sender) -> None:
        created = sender.announce(len(SMALL), sha256=sha256(SMALL))
        other = SMALL[:-1] + b"!"
        assert sender.put(created["upload"], other).status_code in (400, 403)
        digest = base64.b64encode(bytes.fromhex(sha256(other))).decode()
        forged = {**created["upload"], "headers": {**created["upload"]["headers"], "x-amz-checksum-sha256": digest}}
        assert sender.put(forged, other).status_code in (400, 403)
        assert problem(sender.complete(created["video_id"])) == (409, "OBJECT_MISSING")
        assert sender.put(created["upload"], SMALL).status_code == 200
        body(sender.complete(created["video_id"]), 202)

    def test_of_a_hundred_at_once_one_wins(self, sender: Sender) -> None:
        created = sender.announce(len(SMALL))
        bodies = [BEGINNING + bytes([number]) * (len(SMALL) - len(BEGINNING)) for number in range(100)]
        puts = [lambda content=content: sender.put(created["upload"], content).status_code for content in bodies]
        codes = at_once(*puts)
        assert sorted(set(codes)) == [200, 412], codes
        assert codes.count(200) == 1, codes
        body(sender.complete(created["video_id"]), 202)
        assert sender.place.sha256(created["video_id"]) == sha256(bodies[codes.index(200)])

    def test_an_expired_address_is_refused(self, place: Place) -> None:
        with place.api(BIBLIO_UPLOAD_SECONDS="1") as url:
            sender = Sender(place, url)
            created, parts = sender.announce(len(SMALL)), sender.announce(len(ONE_PART))["video_id"]
            signed = sender.sign(parts, [1])
            time.sleep(2.1)
            assert sender.put(created["upload"], SMALL).status_code == 403
            assert sender.put(signed[1], ONE_PART).status_code == 403
            sender.close()


class TestInParts:
    def test_parts_in_any_order_and_sent_twice_make_the_file(self, sender: Sender, three_parts: str) -> None:
        sender.put_parts(three_parts, bytes(len(THREE_PARTS)), [2, 3])  # other bytes, replaced below
        time.sleep(STORAGE_TICK)
        sender.put_parts(three_parts, THREE_PARTS, [3, 1, 2, 1])
        body(sender.complete(three_parts), 202)
        assert sender.place.sha256(three_parts) == sha256(THREE_PARTS)

    @pytest.mark.parametrize("sent", [[1], [3], [1, 3], [2, 3]], ids=str)
    def test_missing_parts_are_named(self, sender: Sender, three_parts: str, sent: list[int]) -> None:
        sender.put_parts(three_parts, THREE_PARTS, sent)
        missing = sorted({1, 2, 3} - set(sent))
        refused = sender.complete(three_parts)
        assert problem(refused) == (409, "PARTS_MISSING")
        assert refused.json()["numbers"] == missing
        assert body(sender.get(three_parts, "upload/parts"), 200)["missing"] == missing
        assert sender.place.jobs(three_parts) == []
        sender.put_parts(three_parts, THREE_PARTS, missing)
        body(sender.complete(three_parts), 202)
        assert sender.place.sha256(three_parts) == sha256(THREE_PARTS)

    @pytest.mark.parametrize("change", [b"+", b""], ids=["longer", "shorter"])
    def test_a_part_of_another_length_is_refused(self, sender: Sender, three_parts: str, change: bytes) -> None:
        signed = sender.sign(three_parts, [1, 3])
        for number in (1, 3):
            whole = piece(THREE_PARTS, number)
            assert sender.put(signed[number], whole + change if change else whole[:-1]).status_code == 403
        assert body(sender.get(three_parts, "upload/parts"), 200)["parts"] == []

    def test_parts_that_are_not_in_the_plan_are_not_signed(self, sender: Sender, three_parts: str) -> None:
        for numbers in ([4], [0], [-1], [1, 10_001], [], list(range(1, 102)), "1", None):
            answer = sender.post(three_parts, "upload/parts", json={"numbers": numbers})
            assert answer.status_code == 422, numbers

    def test_a_signed_part_is_for_its_number_only(self, sender: Sender, three_parts: str) -> None:
        signed = sender.sign(three_parts, [1])[1]
        other = {**signed, "url": signed["url"].replace("partNumber=1", "partNumber=2")}
        assert other["url"] != signed["url"]
        assert sender.put(other, bytes(PART)).status_code == 403

    @pytest.mark.parametrize("checksums", [True, False], ids=["checksums", "none"])
    def test_checksums_hold_for_all_parts_or_none(self, sender: Sender, three_parts: str, checksums: bool) -> None:
        digests = {number: sha256(piece(THREE_PARTS, number)) for number in (1, 2, 3)}
        assert body(sender.get(three_parts, "upload/parts"), 200)["checksums"] is None
        signed = sender.sign(three_parts, [1, 2, 3], digests if checksums else None)
        assert body(sender.get(three_parts, "upload/parts"), 200)["checksums"] is checksums
        other = {"numbers": [1], **({} if checksums else {"sha256": {1: digests[1]}})}
        code = "CHECKSUM_MISSING" if checksums else "CHECKSUM_UNEXPECTED"
        assert problem(sender.post(three_parts, "upload/parts", json=other)) == (422, code)
        wrong = sender.put(signed[1], random.Random(1).randbytes(PART)).status_code
        assert wrong in (400, 403) if checksums else wrong == 200
        time.sleep(0 if checksums else 1.1)  # SeaweedFS tells copies of a part apart by whole seconds
        for number in (1, 2, 3):
            assert sender.put(signed[number], piece(THREE_PARTS, number)).status_code == 200
        body(sender.complete(three_parts), 202)
        assert sender.place.sha256(three_parts) == sha256(THREE_PARTS)


class TestBehindTheApisBack:
    """With the bucket's own credentials, as no client has them."""

    def meddle(self, place: Place, video_id: str, number: int, content: bytes) -> None:
        (upload_id,) = place.unfinished(video_id)
        key = place.video(video_id).key
        place.s3.upload_part(Bucket=place.bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=content)

    def test_a_part_too_many_is_left_out(self, sender: Sender, three_parts: str) -> None:
        sender.put_parts(three_parts, THREE_PARTS)
        self.meddle(sender.place, three_parts, 4, b"more")
        body(sender.complete(three_parts), 202)
        assert sender.place.sha256(three_parts) == sha256(THREE_PARTS)

    @pytest.mark.parametrize("size", [1, 5 * MIB, PART + 1])
    def test_a_part_of_the_wrong_size_is_missing(self, sender: Sender, three_parts: str, size: int) -> None:
        sender.put_parts(three_parts, THREE_PARTS)
        time.sleep(STORAGE_TICK)
        self.meddle(sender.place, three_parts, 2, bytes(size))
        refused = sender.complete(three_parts)
        assert problem(refused) == (409, "PARTS_MISSING")
        assert refused.json()["numbers"] == [2]
        sender.place.make_due(three_parts)
        sweep(sender.place.services)
        assert sender.place.video(three_parts).status is Status.UPLOADING
        time.sleep(STORAGE_TICK)
        sender.put_parts(three_parts, THREE_PARTS, [2])
        body(sender.complete(three_parts), 202)
        assert sender.place.sha256(three_parts) == sha256(THREE_PARTS)

    def test_an_upload_that_storage_lost_can_be_sent_again(self, sender: Sender, three_parts: str) -> None:
        place = sender.place
        sender.put_parts(three_parts, THREE_PARTS, [1, 2])
        (upload_id,) = place.unfinished(three_parts)
        key = place.video(three_parts).key
        place.s3.abort_multipart_upload(Bucket=place.bucket, Key=key, UploadId=upload_id)
        assert problem(sender.complete(three_parts)) == (409, "PARTS_MISSING")
        assert body(sender.get(three_parts, "upload/parts"), 200)["missing"] == [1, 2, 3]
        sender.put_parts(three_parts, THREE_PARTS)
        body(sender.complete(three_parts), 202)
        assert place.sha256(three_parts) == sha256(THREE_PARTS)
