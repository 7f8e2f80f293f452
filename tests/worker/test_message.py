"""What comes in from the queue is checked: others may publish there too."""

import json
from typing import Any

import pytest

from biblio.domain.video import Options
from biblio.entrypoints.worker.message import LARGEST, check_message, read_announcement
from biblio.errors import InvalidInput
from biblio.pipeline.ingestion import Announced

VIDEO = "550e8400-e29b-41d4-a716-446655440000"
KEY = f"videos/{VIDEO}/original.mp4"


def message(task_type: str = "ingestion", **changes: Any) -> dict[str, Any]:
    payload = {
        "video_id": VIDEO,
        "user_id": "user_123",
        "bucket": "biblio-video-store",
        "key": KEY,
        "options": {"language": "ko", "model": "high_quality"},
    }
    return {"task_type": task_type, "payload": {**payload, **changes}}


def test_the_specifications_message_is_read() -> None:
    wanted = Announced(VIDEO, "user_123", "biblio-video-store", KEY, Options("ko", "high_quality"))
    assert read_announcement(json.dumps(message())) == wanted
    assert read_announcement(json.dumps(message(), ensure_ascii=False).encode()) == wanted


def test_options_may_be_left_out() -> None:
    announced = message()
    del announced["payload"]["options"]
    assert read_announcement(json.dumps(announced)).options == Options()


def test_what_a_program_adds_does_no_harm() -> None:
    assert read_announcement(json.dumps({**message(), "trace": 1})).video_id == VIDEO


@pytest.mark.parametrize("task_type", ["ingestion", "deletion", "cleanup"])
def test_biblios_own_messages_are_all_known(task_type: str) -> None:
    assert check_message(message(task_type)).task_type == task_type


@pytest.mark.parametrize("task_type", ["deletion", "cleanup"])
def test_nobody_else_may_ask_for_deletion(task_type: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_announcement(json.dumps(message(task_type)))
    assert refused.value.code == "BAD_MESSAGE"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[" * 60_000,
        b"null",
        b'"text"',
        b"[]",
        b"{}",
        b" " * (LARGEST + 1),
        json.dumps({"task_type": "ingestion"}),
        json.dumps(message("mining")),
        json.dumps(message(video_id="../../etc/passwd")),
        json.dumps(message(video_id=7)),
        json.dumps(message(options="none")),
        json.dumps(message(options={"language": 7})),
        json.dumps(message(user_id=None)),
        json.dumps(message(user_id={"$ne": 1})),
        json.dumps(message(key="")),
        json.dumps(message(key="videos/\0.mp4")),
        json.dumps(message(user_id="\ud800")),
    ],
)
def test_anything_else_is_refused(body: bytes | str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_announcement(body)
    assert refused.value.code == "BAD_MESSAGE"
