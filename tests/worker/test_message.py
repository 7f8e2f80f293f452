"""What comes in from the queue is checked: others may publish there too."""

from typing import Any

import pytest

from biblio.entrypoints.worker.message import read_message
from biblio.errors import InvalidInput

VIDEO = "550e8400-e29b-41d4-a716-446655440000"


def message(**changes: Any) -> dict[str, Any]:
    payload = {
        "video_id": VIDEO,
        "user_id": "user_123",
        "bucket": "biblio-video-store",
        "key": f"videos/{VIDEO}/original.mp4",
        "options": {"language": "ko", "model": "high_quality"},
    }
    return {"task_type": "ingestion", "payload": {**payload, **changes}}


def test_the_specifications_message_names_its_video() -> None:
    assert read_message(message()) == VIDEO


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"task_type": "ingestion"},
        {"task_type": "mining", "payload": message()["payload"]},
        message(video_id="../../etc/passwd"),
        message(options="none"),
        message(user_id=None),
    ],
)
def test_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_message(wrong)
    assert refused.value.code == "BAD_MESSAGE"
