"""Words of an answer: none lost, none doubled, each with its punctuation, whatever the service lists."""

import random

import pytest

from biblio.adapters.speech.openai_names import LANGUAGES, asked_code, heard_code
from biblio.adapters.speech.openai_words import Answer, words_of
from biblio.adapters.speech.whisper_names import LANGUAGES as WHISPERS
from biblio.adapters.speech.whisper_names import iso_code
from biblio.domain.transcript import Word

KOREAN = "안녕하세요, 오늘은 벡터 검색을 알아봅니다. 문장은 뜻이 가까울수록 가까운 벡터가 됩니다."
ENGLISH = 'Well-known words, 3.5 of them: "don\'t stop" — he said… Really?'


def answered(text: str, words: list[tuple[str, float, float]], segments: list[tuple[str, float, float]]) -> Answer:
    def rows(kind: str, given: list[tuple[str, float, float]]) -> list[dict[str, str | float]]:
        return [{kind: text, "start": start, "end": end} for text, start, end in given]

    facts = {"text": text, "language": "korean", "words": rows("word", words), "segments": rows("text", segments)}
    return Answer.model_validate(facts)


def bare(text: str) -> list[tuple[str, float, float]]:
    """As the real service lists words: a second each, without punctuation at their edges."""
    kept = [word.strip(' ,.?!…—":') for word in text.split()]
    return [(word, float(number), number + 0.8) for number, word in enumerate(word for word in kept if word)]


def said(words: tuple[Word, ...]) -> str:
    return "".join(word.text for word in words)


@pytest.mark.parametrize("text", [KOREAN, ENGLISH])
def test_each_word_has_its_own_time_and_the_texts_punctuation(text: str) -> None:
    listed = bare(text)
    words = words_of(answered(text, listed, [(f" {text}", 0, 20)]), 20)
    assert said(words) == f" {text}"
    assert [(word.start, word.end) for word in words] == [(start, end) for _, start, end in listed]


def test_words_go_to_their_segments_in_order() -> None:
    first, second = KOREAN.split(". ")
    words = words_of(answered(KOREAN, bare(KOREAN), [(f" {first}.", 0, 5), (f" {second}", 5, 12)]), 12)
    assert said(words) == f" {KOREAN}"
    assert [word.start for word in words] == [float(number) for number in range(len(words))]


def test_the_same_word_again_and_again_is_not_mixed_up() -> None:
    text = "no no no, yes no yes no"
    words = words_of(answered(text, bare(text), [(" no no no,", 0, 3), (" yes no yes no", 3, 7)]), 7)
    assert [word.text for word in words] == [" no", " no", " no,", " yes", " no", " yes", " no"]
    assert [word.start for word in words] == [0, 1, 2, 3, 4, 5, 6]


def test_words_that_the_service_lists_with_blanks_and_punctuation_are_found_too() -> None:
    listed = [(f" {word}", float(number), number + 0.8) for number, word in enumerate(KOREAN.split())]
    words = words_of(answered(KOREAN, listed, [(f" {KOREAN}", 0, 20)]), 20)
    assert [(word.text, word.start) for word in words] == [(text, start) for text, start, _ in listed]


@pytest.mark.parametrize("seed", range(30))
def test_the_text_counts_whatever_words_are_missing_foreign_or_wrong(seed: int) -> None:
    dice = random.Random(seed)
    text = f"{KOREAN} {ENGLISH}"
    listed = [
        (dice.choice(["엉뚱한", "the", "3"]) if dice.random() < 0.2 else word, start, end)
        for word, start, end in bare(text)
        if dice.random() > 0.2
    ]
    cut = dice.choice([at for at, character in enumerate(text) if character == " "])
    segments = [(f" {text[:cut]}", 0.0, cut / 10), (text[cut:], cut / 10, 30.0)]
    words = words_of(answered(text, listed, segments), 30)
    assert said(words).split() == text.split()
    assert all(0 <= word.start <= word.end <= 30 for word in words)


def test_words_without_a_time_stand_between_those_that_have_one() -> None:
    text = "(So it) begins, and then it ends."
    words = words_of(answered(text, [("begins", 2.0, 3.0), ("ends", 7.0, 8.0)], [(f" {text}", 0, 9)]), 9)
    assert [(word.text, word.start) for word in words] == [
        (" (So", 0),
        (" it)", 1),
        (" begins,", 2),
        (" and", 3),
        (" then", pytest.approx(3 + 4 / 3)),
        (" it", pytest.approx(3 + 8 / 3)),
        (" ends.", 7),
    ]


def test_without_words_a_segments_time_is_shared_out() -> None:
    words = words_of(answered("one two three four", [], [(" one two", 0, 4), (" three four", 6, 8)]), 9)
    assert [(word.text, word.start, word.end) for word in words] == [
        (" one", 0, 2),
        (" two", 2, 4),
        (" three", 6, 7),
        (" four", 7, 8),
    ]


def test_with_text_alone_the_whole_time_is_shared_out() -> None:
    words = words_of(Answer(text="one two"), 4)
    assert [(word.text, word.start, word.end) for word in words] == [(" one", 0, 2), (" two", 2, 4)]
    assert words_of(Answer(text=" "), 4) == ()


def test_blanks_between_segments_are_those_of_the_whole_text() -> None:
    assert said(words_of(answered("one two", [], [("one", 0, 1), ("two", 1, 2)]), 2)) == " one two"
    assert said(words_of(answered("今日は。明日は", [], [("今日は。", 0, 1), ("明日は", 1, 2)]), 2)) == "今日は。明日は"
    assert said(words_of(answered("un", [], [(" un", 0, 1), ("broken", 1, 2)]), 2)) == " un broken"


def test_languages_are_those_of_whisper() -> None:
    assert {iso_code(code) for code in WHISPERS} == LANGUAGES


def test_names_of_languages_become_codes() -> None:
    names = ["korean", "English", "haitian creole", "javanese", "jw", "ko-KR", "mandarin", "", "klingon"]
    assert [heard_code(name) for name in names] == ["ko", "en", "ht", "jv", "jv", "ko", "zh", "", ""]
    assert [asked_code(tag) for tag in ("ko_KR", " EN ", "haw", "korean")] == ["ko", "en", "haw", "korean"]
