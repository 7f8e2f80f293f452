"""What is told while bytes go out, by a clock that the test moves."""

import pytest

from biblio.entrypoints.cli.pace import Pace
from biblio.entrypoints.cli.report import Lines

MB = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_line_about_every_10_seconds_while_bytes_go_out(capsys: pytest.CaptureFixture[str]) -> None:
    now = Clock()
    lines = Lines(errors_only=False, now=now)
    lines.sending(0, "강의.mp4", 100 * MB)
    lines.resumed(0, 43 * MB)
    for second in range(26):
        now.seconds = second
        lines.sent(0, (43 + second) * MB)
    assert capsys.readouterr().out.splitlines() == [
        "강의.mp4: uploading 100.0 MB",
        "강의.mp4: resumed at 43%",
        "강의.mp4: 53%  1.0 MB/s  0:47 left",
        "강의.mp4: 63%  1.0 MB/s  0:37 left",
    ]


def test_nothing_is_told_beside_json(capsys: pytest.CaptureFixture[str]) -> None:
    now = Clock()
    lines = Lines(errors_only=True, now=now)
    lines.sending(0, "강의.mp4", MB)
    now.seconds = 60
    lines.sent(0, 1000)
    assert capsys.readouterr() == ("", "")


def test_the_pace_is_that_of_this_session_and_of_the_last_seconds() -> None:
    now = Clock()
    pace = Pace(1000, now)
    assert (pace.speed(), pace.percent(), pace.words()) == (0.0, 0, "")
    pace.note(500)
    now.seconds = 1
    assert (pace.speed(), pace.percent(), pace.words()) == (0.0, 50, "")
    for second in range(1, 101):
        now.seconds = second
        pace.note(500 + 2 * second)
    assert pace.speed() == 2.0
    assert pace.words() == "2 bytes/s  2:30 left"
    for second in range(101, 131):
        now.seconds = second
        pace.note(700 + 5 * (second - 100))
    assert pace.speed() == 5.0


def test_many_notes_in_a_moment_count_as_one() -> None:
    now = Clock()
    pace = Pace(10_000, now)
    for note in range(1001):
        now.seconds = note / 100
        pace.note(note)
    assert pace.speed() == pytest.approx(100)
    assert len(pace._samples) < 60


def test_bytes_that_were_lost_slow_it_down_and_a_dead_line_is_named() -> None:
    now = Clock()
    pace = Pace(1000, now)
    pace.note(0)
    now.seconds = 5
    pace.note(100)
    assert pace.speed() == 20.0
    now.seconds = 10
    pace.note(50)
    assert pace.speed() == 5.0
    now.seconds = 30
    assert pace.words() == "waiting for the line"
