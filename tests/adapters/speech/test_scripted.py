"""The recogniser without ears keeps the same promises as one that has some."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from biblio.adapters.speech.scripted import connect
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


def test_each_piece_takes_the_seconds_it_is_told_to(tmp_path: Path, english: Spoken) -> None:
    engine = scripted(tmp_path, [[0, 1, "one"], [1, 2, "two"]], "&seconds_per_piece=0.2")
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
