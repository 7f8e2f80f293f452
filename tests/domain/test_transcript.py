import unicodedata

import pytest

from biblio.domain.transcript import (
    LONGEST_CLAUSE,
    LONGEST_SENTENCE,
    PAUSE,
    SHORTEST_CLAUSE,
    SHORTEST_FINAL,
    SHORTEST_SENTENCE,
    Sentence,
    Transcript,
    Word,
    results,
    sentences_of,
)


def _spoken(*texts: str, each: float = 0.5, gap: float = 0.0) -> list[Word]:
    return [Word(text, i * (each + gap), i * (each + gap) + each) for i, text in enumerate(texts)]


def _texts(words: list[Word]) -> list[str]:
    return [sentence.text for sentence in sentences_of(words)]


def test_punctuation_ends_a_sentence() -> None:
    words = _spoken(" Hello", " there.", " Why?", " 안녕하세요.", " 네!", " 그래서…", " 終わり。", " end")
    assert sentences_of(words) == (
        Sentence("Hello there.", 0.0, 1.0),
        Sentence("Why?", 1.0, 1.5),
        Sentence("안녕하세요.", 1.5, 2.0),
        Sentence("네!", 2.0, 2.5),
        Sentence("그래서…", 2.5, 3.0),
        Sentence("終わり。", 3.0, 3.5),
        Sentence("end", 3.5, 4.0),
    )


@pytest.mark.parametrize(("pieces", "text"), [((" 3.", "5"), "3.5"), ((" 1.", "234.", "5"), "1.234.5")])
def test_a_number_is_not_torn_at_its_point(pieces: tuple[str, ...], text: str) -> None:
    assert _texts(_spoken(" version", *pieces, " is", " out.", " Yes.")) == [f"version {text} is out.", "Yes."]


def test_a_number_at_the_end_of_a_sentence_ends_it() -> None:
    assert _texts(_spoken(" Chapter", " 3.", " 5", " words", " follow")) == ["Chapter 3.", "5 words follow"]


def test_a_pause_ends_a_sentence_that_is_long_enough() -> None:
    began = _spoken(*[" 말"] * 8)
    assert began[-1].end > SHORTEST_SENTENCE
    after = Word(" 다음", began[-1].end + PAUSE, began[-1].end + PAUSE + 1)
    assert [sentence.end for sentence in sentences_of([*began, after])] == [began[-1].end, after.end]
    sooner = Word(" 다음", began[-1].end + PAUSE - 0.1, after.end)
    assert len(sentences_of([*began, sooner])) == 1


def test_a_pause_inside_a_short_sentence_does_not_end_it() -> None:
    assert _texts([Word(" 음", 0, 0.5), Word(" 그러니까", 2.0, 2.5)]) == ["음 그러니까"]


@pytest.mark.parametrize(
    "ending", ["배웁니다", "있습니까", "좋아요", "됐어요", "하죠", "하세요", "그렇지요,", "할까요 "]
)
def test_a_korean_sentence_ends_with_its_ending_where_nobody_wrote_a_full_stop(ending: str) -> None:
    assert _texts(_spoken(" 오늘은", " 이것을", " 우리가", f" {ending}", " 다음", " 것도")) == [
        f"오늘은 이것을 우리가 {ending.strip()}",
        "다음 것도",
    ]


@pytest.mark.parametrize(
    "ending", ["하는데", "좋은데,", "했을텐데", "하지만", "보면서", "먹으며", "하면", "먹고", "그래서"]
)
def test_a_korean_clause_that_is_long_enough_ends_with_its_ending(ending: str) -> None:
    before = [" 말"] * int(SHORTEST_CLAUSE / 0.5 - 1)
    assert len(sentences_of(_spoken(*before, f" {ending}", " 다음", " 것"))) == 2
    assert len(sentences_of(_spoken(*before[1:], f" {ending}", " 다음", " 것"))) == 1, "too short for a sentence"


@pytest.mark.parametrize("word", ["그러니까", "그런데", "가운데"])
def test_a_word_that_only_looks_like_an_ending_goes_on(word: str) -> None:
    before = [" 말"] * int(SHORTEST_CLAUSE / 0.5)
    assert len(sentences_of(_spoken(*before, f" {word}", " 다음"))) == 1


def test_a_short_korean_ending_ends_nothing() -> None:
    assert SHORTEST_FINAL > 1.5
    assert _texts(_spoken(" 우리가", " 잘", " 봅니다", " 그럼", " 다음")) == ["우리가 잘 봅니다 그럼 다음"]


def test_an_ending_is_looked_for_in_korean_alone() -> None:
    words = _spoken(*[" word"] * 10, " 하면", *[" word"] * 10)
    assert len(sentences_of(words)) == 2, "after the Korean word"
    assert len(sentences_of(_spoken(*[" word"] * 30))) == 1


@pytest.mark.parametrize(
    ("letter", "longest"), [("말", LONGEST_CLAUSE), ("말7", LONGEST_SENTENCE), ("w", LONGEST_SENTENCE)]
)
def test_what_has_neither_punctuation_nor_endings_is_cut_before_it_grows_too_long(letter: str, longest: float) -> None:
    words = _spoken(*[f" {letter}"] * 200)
    sentences = sentences_of(words)
    assert len(sentences) == -(-100 // longest)
    assert max(sentence.end - sentence.start for sentence in sentences) <= longest
    assert " ".join(sentence.text for sentence in sentences) == "".join(word.text for word in words).strip()


def test_one_endless_word_stays_whole() -> None:
    assert sentences_of([Word("아", 0, 60), Word(" 네", 60, 61)]) == (Sentence("아", 0, 60), Sentence("네", 60, 61))


def test_a_sentences_text_is_clean() -> None:
    decomposed = unicodedata.normalize("NFD", " 한글")
    assert _texts(_spoken(decomposed, "\x00 이", "  \n 좋다.")) == ["한글 이 좋다."]


def test_nothing_said_is_no_sentence() -> None:
    assert sentences_of([]) == ()
    assert sentences_of(_spoken(" ", "\x00", "")) == ()


def test_times_are_milliseconds_and_never_run_backwards() -> None:
    assert sentences_of([Word("a", 1.23456, 2.34567)]) == (Sentence("a", 1.235, 2.346),)
    assert sentences_of([Word("a", 5.0, 4.0)]) == (Sentence("a", 5.0, 5.0),)


def test_results_are_the_specifications() -> None:
    said = [Sentence("안녕하세요", 0.0, 1.5), Sentence("오늘의 주제는...", 1.5, 3.2)]
    assert results(said) == {
        "results": [
            {"transcript": "안녕하세요", "start_time": 0.0, "end_time": 1.5},
            {"transcript": "오늘의 주제는...", "start_time": 1.5, "end_time": 3.2},
        ]
    }


def test_a_transcript_comes_back_from_its_json() -> None:
    transcript = Transcript("ko", 3.2, (Sentence("안녕", 0.0, 1.5), Sentence("끝", 1.5, 3.2)), "whisper", "base")
    assert Transcript.from_json(transcript.as_json()) == transcript
    assert transcript.text == "안녕 끝"


def test_words_keep_their_times_and_make_the_text() -> None:
    heard = [
        *(Word(" 원주율은", 0.0, 0.51234), Word(" 3.", 0.6, 0.8), Word("5", 0.8, 0.9), Word("가", 0.9, 1.0)),
        *(Word(" 아니", 1.1, 1.3), Word("에요.", 1.3, 1.25), Word(" ", 1.3, 1.4), Word("\x00", 1.4, 1.4)),
    ]
    said = sentences_of(heard)[0]
    assert said.text == "원주율은 3.5가 아니에요."
    assert said.words == (Word("원주율은", 0.0, 0.512), Word("3.5가", 0.6, 1.0), Word("아니에요.", 1.1, 1.25))
    assert " ".join(word.text for word in said.words) == said.text


def test_scripts_without_blanks_keep_the_recognisers_words() -> None:
    (said,) = sentences_of([Word("今日", 0.0, 0.4), Word("は", 0.4, 0.5), Word("雨", 0.5, 0.9)])
    assert [word.text for word in said.words] == ["今日", "は", "雨"]
    assert said.text == "今日は雨"


def test_words_come_back_from_json_and_one_without_them_too() -> None:
    said = Sentence("안녕 하세요", 0.0, 1.5, (Word("안녕", 0.0, 0.5), Word("하세요", 0.5, 1.5)))
    data = Transcript("ko", 3.2, (said,), "whisper", "base").as_json()
    assert data["results"][0]["words"] == [["안녕", 0.0, 0.5], ["하세요", 0.5, 1.5]]
    assert Transcript.from_json(data).sentences[0].words == said.words
    assert "words" not in results([said])["results"][0]
    del data["results"][0]["words"]
    assert Transcript.from_json(data).sentences[0].words == ()
