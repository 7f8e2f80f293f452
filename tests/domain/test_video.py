from datetime import UTC, datetime

import pytest

from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure, Job, Options, Video, extension_of, job_of, title_of
from biblio.errors import InvalidInput


@pytest.mark.parametrize(
    ("file_name", "ending"),
    [
        ("lecture_01.mp4", "mp4"),
        ("LECTURE.MP4", "mp4"),
        ("강의 1부.MoV", "mov"),
        ("김철수.교수.avi", "avi"),
        ("C:\\Users\\김\\강의.MKV", "mkv"),
        ("talk.mp4.webm", "webm"),
        ("../../etc/a.m4a", "m4a"),
    ],
)
def test_an_ending_is_taken_in_any_letter_case(file_name: str, ending: str) -> None:
    assert extension_of(file_name) == ending


@pytest.mark.parametrize("file_name", ["강의", "", "a.", ".mp4", "a.exe", "a.mp4.exe", "mp4", "a.mp4 "])
def test_an_ending_that_is_not_taken_is_refused_with_those_that_are(file_name: str) -> None:
    with pytest.raises(InvalidInput, match=r"Accepted: \.mp4, \.mov, \.avi, \.mkv") as caught:
        extension_of(file_name)
    assert caught.value.code == "UNSUPPORTED_FORMAT"


@pytest.mark.parametrize(
    ("file_name", "title"),
    [
        ("lecture_01.mp4", "lecture_01"),
        ("데이터베이스 강의 3.5.mp4", "데이터베이스 강의 3.5"),
        ("C:\\강의\\1주차.mov", "1주차"),
        ("folder/ talk .mp4", "talk"),
        (".mp4", ".mp4"),
    ],
)
def test_a_title_is_the_file_name_without_folders_and_ending(file_name: str, title: str) -> None:
    assert title_of(file_name) == title


def test_a_job_message_is_the_specifications() -> None:
    job = Job(
        Step.EXTRACT,
        "550e8400-e29b-41d4-a716-446655440000",
        "user_123",
        "biblio-video-store",
        "videos/raw/uuid-1234.mp4",
        Options(language="ko", model="high_quality"),
    )
    assert job.as_message() == {
        "task_type": "ingestion",
        "payload": {
            "video_id": "550e8400-e29b-41d4-a716-446655440000",
            "user_id": "user_123",
            "bucket": "biblio-video-store",
            "key": "videos/raw/uuid-1234.mp4",
            "options": {"language": "ko", "model": "high_quality"},
        },
    }


def test_only_upkeep_is_another_task() -> None:
    kinds = {step: Job(step, "v", "u", "b", "k", Options()).as_message()["task_type"] for step in Step}
    assert {step: kind for step, kind in kinds.items() if kind != "ingestion"} == {
        Step.DELETE: "deletion",
        Step.CLEANUP: "cleanup",
    }


def test_a_job_says_where_its_video_lies_and_what_was_asked_for() -> None:
    video = _video(Status.PENDING)
    assert job_of(video, Step.EMBED, "bucket") == Job(Step.EMBED, "v", "u", "bucket", "k", Options("ko"))


@pytest.mark.parametrize("status", list(Status))
def test_only_what_was_canceled_or_expired_without_bytes_has_an_ended_upload(status: Status) -> None:
    assert _video(status).upload_has_ended == (status in (Status.CANCELED, Status.EXPIRED))
    arrived = _video(status, etag='"0123"')
    assert (arrived.has_arrived, arrived.upload_has_ended) == (True, False)


def _video(status: Status, etag: str | None = None) -> Video:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Video("v", "u", "t", "f.mp4", 1, "video/mp4", "k", status, Options("ko"), now, now, etag=etag)


def test_options_that_were_not_chosen_are_left_out() -> None:
    assert Options().as_json() == {}
    assert Options(model="fast").as_json() == {"model": "fast"}


def test_a_failure_names_step_code_and_sentence() -> None:
    assert Failure(Step.EXTRACT, "NO_SOUND", "소리가 없습니다.").as_json() == {
        "step": "extract",
        "code": "NO_SOUND",
        "message": "소리가 없습니다.",
    }
