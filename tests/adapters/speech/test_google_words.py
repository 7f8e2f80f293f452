"""What Google says becomes words with blanks and times, even where it says little."""

from typing import Any

import pytest
from google.cloud.speech_v2.types import cloud_speech

from biblio.adapters.speech.google_words import recognised
from biblio.domain.transcript import sentences_of


def result(text: str, *words: tuple[str, float, float], end: float = 0.0, tag: str = "ko-kr") -> Any:
    infos = [
        {"word": word, "start_offset": _duration(start), "end_offset": _duration(stop)} for word, start, stop in words
    ]
    return cloud_speech.SpeechRecognitionResult(
        alternatives=[{"transcript": text, "words": infos}], result_end_offset=_duration(end), language_code=tag
    )


def _duration(seconds: float) -> dict[str, int]:
    return {"seconds": int(seconds), "nanos": round(seconds % 1 * 1e9)}


def test_each_word_keeps_the_blank_before_it() -> None:
    said = recognised(
        [
            result("안녕하세요, 여러분.", ("안녕하세요,", 0.5, 1.2), ("여러분.", 1.3, 2.0), end=2.5),
            result(" 시작합니다.", ("시작합니다.", 3.0, 4.0), end=4.5),
        ],
        ["ko-KR"],
        10.0,
    )
    assert [(word.text, word.start, word.end) for word in said.words] == [
        (" 안녕하세요,", 0.5, 1.2),
        (" 여러분.", 1.3, 2.0),
        (" 시작합니다.", 3.0, 4.0),
    ]
    assert [sentence.text for sentence in sentences_of(said.words)] == ["안녕하세요, 여러분.", "시작합니다."]


def test_a_script_without_blanks_gets_none() -> None:
    words = [("大家", 0.0, 0.5), ("好，", 0.5, 0.9), ("今天", 0.9, 1.4)]
    said = recognised([result("大家好，今天", *words, tag="cmn-hans-cn")], ["cmn-Hans-CN"], 2.0)
    assert ["".join(word.text for word in said.words), said.language] == ["大家好，今天", "zh"]


def test_words_that_lost_their_times_are_said_behind_those_that_have_some() -> None:
    said = recognised([result("one two 2.5 four", ("one", 1, 2), ("two", 2, 3), ("2,5", 3, 4), end=6)], ["en-US"], 8.0)
    assert "".join(word.text for word in said.words) == " one two 2.5 four"
    assert [word.start for word in said.words][:2] == [1, 2]
    assert all(3 <= word.start <= word.end <= 6 for word in said.words[2:])


@pytest.mark.parametrize("end", [0.0, 9.0])
def test_a_text_without_any_times_ends_where_its_result_ends(end: float) -> None:
    said = recognised([result("one two three", end=end)], ["en-US"], 10.0)
    assert "".join(word.text for word in said.words) == " one two three"
    assert said.words[-1].end == (end or 10.0)
    assert said.words[0].start > 5


def test_a_word_that_begins_with_the_sound_is_no_word_without_times() -> None:
    said = recognised([result("one two", ("one", 0, 0.4), ("two", 0.5, 0.9), end=1)], ["en-US"], 10.0)
    assert [(word.start, word.end) for word in said.words] == [(0, 0.4), (0.5, 0.9)]


def test_the_language_is_what_most_of_it_is_in() -> None:
    results = [result("hello", end=1, tag="en-us"), result("오늘은 벡터 검색을 알아봅니다", end=5), result("네", end=6)]
    assert recognised(results, ["en-US", "ko-KR"], 10.0).language == "ko"
    assert recognised(results, ["auto"], 10.0).language == "ko"
    assert recognised(results, ["en-US"], 10.0).language == "en"
    assert recognised([result("hello", end=1, tag="")], ["en-US", "ko-KR"], 10.0).language == ""


def test_a_language_that_google_finds_and_cannot_be_asked_for_stays_unknown() -> None:
    said = recognised([result("bon dia", end=2, tag="kea-cv")], ["auto"], 10.0)
    assert ["".join(word.text for word in said.words), said.language] == [" bon dia", ""]


def test_nothing_said_has_no_language() -> None:
    empty = cloud_speech.SpeechRecognitionResult(language_code="ko-kr")
    said = recognised([empty, result("  ", end=3)], ["ko-KR"], 10.0)
    assert (said.words, said.language) == ((), "")
