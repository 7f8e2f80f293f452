"""Lines of the log: readable by programs, or by people; and nothing secret in them."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any

import pytest

from biblio.entrypoints.logs import JsonLines, TextLines, redacted
from biblio.log_context import about, note, subject

log = logging.getLogger("biblio.test")

SIGNED = (
    "http://store.example/b/videos/1/original.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAX%2F2026"
    "&X-Amz-Signature=c0ffee1234"
)
HIDDEN = (
    ("postgresql://biblio:hidden-word@db/biblio", "postgresql://biblio:***@db/biblio"),
    ("redis://:hidden-word@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
    ("s3://key:hid/den@bucket failed", None),
    (f"GET {SIGNED} 403", "GET http://store.example/b/videos/1/original.mp4?*** 403"),
    ("https://storage.googleapis.com/b/o?X-Goog-Signature=abc&x=1", "https://storage.googleapis.com/b/o?***"),
    ("Authorization: Bearer abc.DEF-123_x=", "Authorization: Bearer ***"),
    ("openai://host/v1?api_key=sk-12345&model=x", "openai://host/v1?api_key=***&model=x"),
    ("password=hunter2 host=db", "password=*** host=db"),
    ("{'token': 1, 'secret_key=abc'}", "{'token': 1, 'secret_key=***'}"),
)


Read = Callable[[], list[str]]


@contextmanager
def written(formatter: logging.Formatter) -> Iterator[Read]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lambda: stream.getvalue().splitlines()
    log.removeHandler(handler)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    with written(JsonLines()) as read:
        yield lambda: [json.loads(line) for line in read()]


def test_a_line_says_when_how_bad_who_what_and_what_about(lines: Any) -> None:
    with about(video="v", step="extract", attempt=2):
        log.warning("강의 %d\nof %s", 1, "two")
    (line,) = lines()
    moment = datetime.fromisoformat(line.pop("time"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5
    assert moment.microsecond % 1000 == 0
    expected = {"level": "WARNING", "logger": "biblio.test", "message": "강의 1\nof two"}
    assert line == {**expected, "video": "v", "step": "extract", "attempt": 2}


def test_a_traceback_is_a_field_of_the_same_line(lines: Any) -> None:
    try:
        raise ValueError("at redis://:hidden@host/0")
    except ValueError:
        log.exception("it broke")
    (line,) = lines()
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: at redis://:***@host/0")


def test_a_line_may_have_fields_of_its_own_which_win(lines: Any) -> None:
    with about(status="of the block", request="r"):
        log.info("GET", extra={"fields": {"status": 200, "ms": 1.5}})
    (line,) = lines()
    assert (line["status"], line["ms"], line["request"]) == (200, 1.5, "r")


@pytest.mark.parametrize(("said", "shown"), HIDDEN, ids=[said[:20] for said, _ in HIDDEN])
def test_credentials_and_signed_addresses_are_hidden_wherever_they_stand(
    lines: Any, said: str, shown: str | None
) -> None:
    with about(worker=said):
        log.info("so: %s", said)
        log.info("so", extra={"fields": {"more": said}})
        try:
            raise OSError(said)
        except OSError:
            log.exception("broken")
    text = json.dumps(lines())
    if shown is not None:
        assert redacted(said) == shown
        assert json.dumps(shown)[1:-1] in text
        assert json.dumps(said)[1:-1] not in text


@pytest.mark.parametrize(
    "said",
    ["/api/videos/{video_id}/status", "a@b.example wrote 10:30@noon", "keyboard=qwerty", "https://x.example/?q=what"],
)
def test_what_is_no_secret_is_left_as_it_is(said: str) -> None:
    assert redacted(said) == said


def test_text_is_one_line_an_event_and_a_terminal_obeys_none_of_it() -> None:
    with written(TextLines()) as read, about(video="v"):
        log.error("named %s", "\x1b[2J\r\nFAKE ERROR 강의")
        (line,) = read()
    assert line.endswith(r"ERROR   biblio.test: named \x1b[2J\r\nFAKE ERROR 강의 video=v")


PROGRAM = """
import logging, sys, warnings
from biblio.entrypoints.logs import set_up_logs
set_up_logs(*sys.argv[1:])
logging.getLogger("biblio.x").info("said")
logging.getLogger("biblio.x").debug("not said")
logging.getLogger("uvicorn.error").info("127.0.0.1 - 'WebSocket /api/events?key=abc'")
"""


def said(*arguments: str, on_terminal: bool = False) -> list[str]:
    theirs, ours = os.openpty()[::-1] if on_terminal else os.pipe()[::-1]
    subprocess.run([sys.executable, "-c", PROGRAM, *arguments], stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    with suppress(OSError), open(ours, encoding="utf-8") as stream:  # a terminal nobody holds any more is an error
        return [stream.readline().rstrip(), *([] if on_terminal else stream.read().splitlines())]
    return []


def test_people_who_look_on_get_text_and_programs_that_keep_it_json() -> None:
    (kept,) = said()
    assert json.loads(kept)["message"] == "said"
    assert said("text")[0].endswith("INFO    biblio.x: said")
    assert said(on_terminal=True)[0].endswith("INFO    biblio.x: said")
    assert json.loads(said("json", on_terminal=True)[0])["logger"] == "biblio.x"


def test_what_is_known_ends_with_its_block_and_threads_take_it_along() -> None:
    seen: list[Any] = []
    with about(video="v"):
        with about(step="extract", video="w"):
            thread = threading.Thread(target=copy_context().run, args=(lambda: seen.append(subject()),))
            note(attempt=3)
            thread.start()
            thread.join()
        assert subject() == {"video": "v"}
    assert seen == [{"video": "w", "step": "extract", "attempt": 3}]
    note(video="nowhere")
    assert subject() == {}


@pytest.mark.parametrize("letters", ["A" * 200_000, "key" * 70_000, "-" * 200_000, "password_" * 20_000])
def test_whoever_makes_a_line_long_makes_it_no_work(letters: str) -> None:
    began = time.process_time()
    shown = redacted(f"{letters} password=hunter2")
    assert len(shown) < 20_000
    assert time.process_time() - began < 1.0, "it took minutes"
