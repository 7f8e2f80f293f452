import time
import unicodedata

import pytest

from biblio.domain.suggest import LONGEST, MOST_WORDS, has_lone_letters, initials_of, letters_of, vocabulary


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("데이", "ㄷㅔㅇㅣ"),
        ("데잍", "ㄷㅔㅇㅣㅌ"),
        ("값", "ㄱㅏㅂㅅ"),
        ("와", "ㅇㅗㅏ"),
        ("ㅘ", "ㅗㅏ"),
        ("ㄳ", "ㄱㅅ"),
        ("까", "ㄲㅏ"),
        ("힣", "ㅎㅣㅎ"),
        ("데 이", "ㄷㅔㅇㅣ"),
        ("GPU", "gpu"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_letters_are_those_of_the_keys(text: str, letters: str) -> None:
    assert letters_of(text) == letters


@pytest.mark.parametrize("word", ["데이터베이스", "값어치", "권력", "왜냐하면", "뷁", "index", "닭고기"])
def test_whatever_is_typed_on_the_way_to_a_word_is_its_beginning(word: str) -> None:
    letters = letters_of(word)
    for place in range(len(word)):
        assert letters.startswith(letters_of(word[:place]))
    assert letters_of(unicodedata.normalize("NFD", word)) == letters
    assert letters_of(word.upper()) == letters


def test_a_syllable_that_takes_the_next_ones_first_letter_is_a_beginning_too() -> None:
    """'데이터' is typed by way of '데잍', '닭이' by way of '닭'."""
    for typed, word in (("뎅", "데이터"), ("데잍", "데이터"), ("닭", "달기"), ("값", "갑시다"), ("데잌", "데이키")):
        assert letters_of(word).startswith(letters_of(typed))


def test_initials_are_the_first_letters_of_syllables() -> None:
    assert initials_of("데이터베이스") == "ㄷㅇㅌㅂㅇㅅ"
    assert initials_of("까치 gpu") == "ㄲㅊ"
    assert initials_of("index") == ""


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [("데이ㅌ", True), ("ㄷㅇㅌ", True), ("ㅏ", True), ("데이터", False), ("index", False), ("", False)],
)
def test_lone_letters_tell_that_somebody_is_typing(text: str, unfinished: bool) -> None:
    assert has_lone_letters(text) is unfinished
    assert has_lone_letters(unicodedata.normalize("NFD", "데이터")) is False


class TestVocabulary:
    def test_words_are_counted_the_most_frequent_first(self) -> None:
        assert vocabulary(["table index Index", "INDEX, table; view"]) == [("index", 3), ("table", 2), ("view", 1)]

    def test_particles_are_taken_off_where_the_text_shows_which_they_are(self) -> None:
        assert vocabulary(["서버가 서버는 서버에서"]) == [("서버", 3)]
        assert vocabulary(["데이터베이스를 데이터베이스가", "데이터베이스"]) == [("데이터베이스", 3)]
        assert vocabulary(["서버가"]) == [("서버가", 1)], "it may be a word of its own"

    def test_a_word_that_ends_like_one_with_a_particle_stays_whole(self) -> None:
        assert vocabulary(["고양이 고양이가 고양이는 고양이를"]) == [("고양이", 4)]

    def test_what_tells_nothing_is_no_word(self) -> None:
        assert vocabulary(["the of 책 3 3d a1 _ …", ""]) == []
        assert vocabulary([f"{'가' * (LONGEST + 1)} {'x' * (LONGEST + 1)}"]) == []

    def test_a_long_talk_gives_its_most_frequent_words_alone(self) -> None:
        began = time.process_time()
        texts = [f"word{number % 3_000:04} often 데이터{number % 7}번을" for number in range(20_000)]
        words = vocabulary(texts)
        assert len(words) == MOST_WORDS
        assert words[0] == ("often", 20_000)
        assert time.process_time() - began < 5
