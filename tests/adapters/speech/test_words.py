"""Words as biblio keeps them."""

import pytest

from biblio.adapters.speech.words import in_order, spread, whole
from biblio.domain.transcript import Word


def test_times_are_moved_into_the_sound_and_never_run_backwards() -> None:
    words = [Word(" a", -1, 0.5), Word(" b", 2, 1), Word(" c", 1.5, 3), Word(" d", 9, 12)]
    assert in_order(words, 0, 10) == (Word(" a", 0, 0.5), Word(" b", 2, 2), Word(" c", 2, 3), Word(" d", 9, 10))


def test_control_characters_and_empty_words_are_left_out() -> None:
    words = [Word(" a\x00\x1b", 0, 1), Word(" ", 1, 2), Word("\x07", 2, 3), Word("b\nc", 3, 4)]
    assert in_order(words, 0, 10) == (Word(" a", 0, 1), Word("b c", 3, 4))


def test_a_text_without_word_times_shares_its_time_and_loses_nothing() -> None:
    words = spread(" 안녕 하세요  여러분", 2, 5)
    assert words == [Word(" 안녕", 2, 3), Word(" 하세요", 3, 4), Word("  여러분", 4, 5)]


@pytest.mark.parametrize("text", ["", "  "])
def test_no_text_gives_no_words(text: str) -> None:
    assert spread(text, 0, 1) == []


HEARD = [Word(" 첫", 1, 1.5), Word(" 번째", 1.5, 2.5), Word(" 프로젝트를 오늘 만들었습니다.", 2.5, 6)]


def test_words_that_say_all_of_a_text_stay_as_they_are() -> None:
    assert whole(HEARD, " 첫 번째 프로젝트를 오늘 만들었습니다.", 1, 9) == HEARD


def test_what_a_text_says_beyond_its_words_follows_at_their_pace() -> None:
    text = " 첫 번째 프로젝트를 오늘 만들었습니다. 만들\ufffd\ufffd면 끝"
    words = whole(HEARD, text, 1, 60)
    assert "".join(word.text for word in words) == text
    assert words[:3] == HEARD
    assert words[-1].end == pytest.approx(6 + 8 * 5 / 22)
    assert whole(HEARD, text, 1, 6.5)[-1].end == 6.5


def test_a_text_whose_words_are_others_is_spread_over_its_time() -> None:
    assert whole([Word(" ?", 5, 6)], " a b", 5, 60) == [Word(" a", 5, 5.24), Word(" b", 5.24, 5.48)]
    assert whole([], " a b", 5, 5.2) == [Word(" a", 5, 5.1), Word(" b", 5.1, 5.2)]
