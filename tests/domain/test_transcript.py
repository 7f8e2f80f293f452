import unicodedata

import pytest

from biblio.domain.transcript import (
    LONGEST_SENTENCE,
    PAUSE,
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


def test_korean_without_punctuation_is_cut_before_it_grows_too_long() -> None:
    words = _spoken(*[f" 단어{number}" for number in range(200)])
    sentences = sentences_of(words)
    assert len(sentences) == 5
    assert max(sentence.end - sentence.start for sentence in sentences) <= LONGEST_SENTENCE
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
