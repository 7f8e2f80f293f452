"""The same request again, with the same Idempotency-Key, is the same request: one video, one answer (R14)."""

from uuid import uuid4

import httpx
import pytest

from tests.chaos.sending import SMALL, Sender, at_once, body, problem

DECLARED = {"file_name": "강의.mp4", "file_size": len(SMALL)}
ROUNDS = 20
MANY = 16


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def create(sender: Sender, key: dict[str, str], **more: object) -> httpx.Response:
    return sender.http.post("/api/videos", json={**DECLARED, **more}, headers=key)


def count(sender: Sender) -> int:
    with sender.place.sql() as connection:
        found = connection.execute("SELECT count(*) FROM videos").fetchone()
    return int(found[0]) if found else 0


def test_replayed_one_after_another_it_is_one_video(sender: Sender, key: dict[str, str]) -> None:
    before = count(sender)
    answers = [create(sender, key) for _ in range(ROUNDS)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert count(sender) == before + 1


@pytest.mark.timeout(300)
def test_sixteen_at_once_are_one_video(sender: Sender) -> None:
    for trial in range(ROUNDS):
        key, before = {"Idempotency-Key": f"at-once-{trial}-{uuid4().hex}"}, count(sender)
        answers = at_once(*[lambda key=key: create(sender, key)] * MANY)
        assert {answer.status_code for answer in answers} == {201}, trial
        assert len({answer.text for answer in answers}) == 1, trial
        assert count(sender) == before + 1, trial


def test_another_body_with_the_same_key_is_refused(sender: Sender, key: dict[str, str]) -> None:
    first = body(create(sender, key), 201)
    for change in ({"file_size": 5}, {"title": "other"}, {"file_name": "other.mp4"}):
        assert problem(create(sender, key, **change)) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert body(create(sender, key), 201) == first


def test_without_a_key_every_request_is_its_own(sender: Sender) -> None:
    ids = {body(create(sender, {}), 201)["video_id"] for _ in range(3)}
    assert len(ids) == 3


def test_a_refusal_is_not_remembered(sender: Sender, key: dict[str, str]) -> None:
    assert create(sender, key, file_size=0).status_code == 422
    assert create(sender, key).status_code == 201


@pytest.mark.parametrize("bad", ["", "x" * 256, "a\tb"])
def test_what_is_no_key_is_refused(sender: Sender, bad: str) -> None:
    assert create(sender, {"Idempotency-Key": bad}).status_code == 422


def test_completing_with_a_key_says_the_same_and_starts_one_job(sender: Sender, key: dict[str, str]) -> None:
    video_id = sender.announce(len(SMALL))["video_id"]
    assert problem(sender.complete(video_id, headers=key)) == (409, "OBJECT_MISSING")
    video_id = sender.send(SMALL)
    other = {"Idempotency-Key": uuid4().hex}
    answers = at_once(*[lambda: sender.complete(video_id, headers=other)] * MANY)
    answers += [sender.complete(video_id, headers=other) for _ in range(ROUNDS)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert len(sender.place.jobs(video_id)) == 1
    another = sender.send(SMALL)
    assert problem(sender.complete(another, headers=other)) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_another_users_same_key_is_another_request(sender: Sender, key: dict[str, str]) -> None:
    stranger = uuid4().hex
    with sender.place.services.catalog.transaction() as tx:
        tx.users.give_key(tx.users.add(f"stranger-{stranger}"), stranger)
    mine = body(create(sender, key), 201)
    theirs = create(sender, {**key, "Authorization": f"Bearer {stranger}"})
    assert body(theirs, 201)["video_id"] != mine["video_id"]
