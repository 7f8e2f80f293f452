"""The recogniser without ears keeps the same promises as one that has some."""

import hashlib
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biblio.adapters.speech.scripted import connect
from biblio.domain.transcript import sentences_of
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.speech import SpeechEngine
from tests.contracts.speech import SpeechContract, Spoken, text


@pytest.fixture(scope="module")
def engine() -> SpeechEngine:
    return connect(Dsn.parse("scripted://"))


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return replace(english, language="ko", other_language="en")


class TestScripted(SpeechContract):
    pass


def scripted(folder: Path, sentences: object, more: str = "") -> SpeechEngine:
    path = folder / "script.json"
    path.write_text(json.dumps({"language": "en", "sentences": sentences}))
    return connect(Dsn.parse(f"scripted://?path={path}{more}"))


def test_a_script_is_said_at_its_times_and_not_beyond_the_sound(tmp_path: Path, english: Spoken) -> None:
    engine = scripted(tmp_path, [[1, 3, "one two"], [5, 6, "three"], [4000, 4001, "never"]])
    pieces = list(engine.transcribe(english.audio, language=None, model=None))
    words = [(word.text, word.start, word.end) for piece in pieces for word in piece.words]
    assert words == [(" one", 1, 2), (" two", 2, 3), (" three", 5, 6)]
    assert text(pieces) == " one two three"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_script_said_again_never_repeats_a_sentence(english: Spoken) -> None:
    words = [
        word
        for heard in connect(Dsn.parse("scripted://")).transcribe(english.long, language="en", model=None)
        for word in heard.words
    ]
    sentences = [sentence.text for sentence in sentences_of(words)]
    assert len(set(sentences)) == len(sentences) > 200
    assert sentences[0] == "Hello, today we look at vector search."
    assert sentences[4] == "(1) Hello, today we look at vector search."


def test_each_piece_begun_and_done_is_written_down(tmp_path: Path, english: Spoken) -> None:
    log = tmp_path / "calls"
    engine = connect(Dsn.parse(f"scripted://?longest=10&log={log}"))
    ends = [heard.until for heard in engine.transcribe(english.audio, language=None, model=None) if heard.ends_piece]
    calls = lines(log)
    assert [call["event"] for call in calls] == ["begin", "done"] * len(ends)
    assert [call["end"] for call in calls if call["event"] == "done"] == ends
    assert [call["start"] for call in calls if call["event"] == "begin"] == [0, *ends[:-1]]
    assert {call["audio"] for call in calls} == {hashlib.sha1(english.audio.read_bytes()).hexdigest()}
    assert {call["pid"] for call in calls} == {os.getpid()}


def test_a_piece_that_was_broken_off_is_not_done(tmp_path: Path, english: Spoken) -> None:
    log = tmp_path / "calls"
    engine = connect(Dsn.parse(f"scripted://?log={log}"))
    heard = engine.transcribe(english.audio, language=None, model=None)
    next(heard)
    heard.close()
    assert [call["event"] for call in lines(log)] == ["begin"]


def test_each_sentence_takes_the_seconds_it_is_told_to(tmp_path: Path, english: Spoken) -> None:
    engine = scripted(tmp_path, [[0, 1, "one"], [1, 2, "two"]], "&seconds_per_sentence=0.2")
    started = time.monotonic()
    assert len(list(engine.transcribe(english.audio, language=None, model=None))) == 3
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("content", ["", "[]", '{"language": "en"}', '{"language": "en", "sentences": [["a"]]}'])
def test_a_script_out_of_shape_is_refused_at_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "script.json"
    path.write_text(content)
    with pytest.raises(Misconfigured):
        connect(Dsn.parse(f"scripted://?path={path}"))


def test_a_script_that_is_not_there_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        connect(Dsn.parse(f"scripted://?path={tmp_path}/none.json"))
