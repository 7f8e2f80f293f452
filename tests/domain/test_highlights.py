import time

import pytest

from biblio.domain.highlights import LONGEST_WORD, highlights


def marked(question: str, text: str) -> list[str]:
    return [text[start:end] for start, end in highlights(question, text)]


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("트랜잭션", "트랜잭션은 트랜잭션이다", ["트랜잭션", "트랜잭션"]),
        ("트랜잭션은 뭐죠", "이 트랜잭션을 보세요", ["트랜잭션"]),
        ("index", "Index, indexes, INDEX!", ["Index", "INDEX"]),
        ("gpu", "GPU가 빠르다", ["GPU"]),
        ("GPU를", "그 gpu가 빠르다", ["gpu"]),
        ("책", "책은 좋고 정책은 싫다", ["책"]),
        ("transaktion", "Die Straße und ﬁ İ: Transaktion", ["Transaktion"]),
        ("데이터 데이터베이스", "데이터베이스", ["데이터베이스"]),
        ("c++ (a|b) [x", "a+b .* c++", ["b", "c"]),
        ("中文搜索", "这是中文搜索引擎", ["中文搜索"]),
        ("ＩＮＤＥＸ", "an index", ["index"]),
        ("index", "an ＩＮＤＥＸ", ["ＩＮＤＥＸ"]),
        ("없다", "nothing here", []),
        ("", "text", []),
        ("…", "text …", []),
    ],
)
def test_highlights_are_ranges_of_the_text(question: str, text: str, expected: list[str]) -> None:
    assert marked(question, text) == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("데이터베이스", "이 데이터 베이스를 봅시다", ["데이터 베이스"]),
        ("데이터 베이스", "이 데이터베이스를 봅시다", ["데이터베이스"]),
        ("데이터베이스", "데 이\n터  베이스", ["데 이\n터  베이스"]),
        ("데이터", "🎓 데 이터 🎓 데이터", ["데 이터", "데이터"]),
    ],
)
def test_blanks_inside_a_korean_word_do_not_matter(question: str, text: str, expected: list[str]) -> None:
    assert marked(question, text) == expected


def test_a_blank_ends_a_word_of_another_script() -> None:
    assert marked("data base", "a database, a data base") == ["data", "base"]
    assert marked("database", "a data base") == []


def test_little_english_words_are_not_marked_beside_telling_ones() -> None:
    assert marked("When should I review my notes?", "I said my notes are what you review, when in doubt.") == [
        "notes",
        "review",
    ]


def test_little_english_words_are_marked_where_nothing_else_was_asked() -> None:
    assert marked("to be or", "To be, and not to be") == ["To", "be", "to", "be"]


def test_highlights_never_overlap_and_go_forward() -> None:
    text = "가나다라 가나다라마 다라"
    ranges = highlights("가나다 나다라 다라", text)
    assert ranges
    assert all(0 <= start < end <= len(text) for start, end in ranges)
    assert all(before[1] < after[0] for before, after in zip(ranges, ranges[1:], strict=False))


def test_letters_that_grow_when_folded_do_not_move_what_follows() -> None:
    for before in ("İ ", "ẞ ", "ﬃ ", "㈜ ", "½ ", "ŉ "):
        assert marked("index 트랜잭션", f"{before}{before}index {before}트랜잭션") == ["index", "트랜잭션"]


def test_what_is_too_long_for_a_word_is_looked_for_by_its_beginning() -> None:
    word = "가나다라마바사아자차카타파하" * 2
    assert marked(word, f"이 {word}") == [word[:LONGEST_WORD]]


def test_an_endless_question_costs_no_more_than_its_length() -> None:
    """Of 50 moments, each without a single match."""
    question, text = "가나다라마바사아자차" * 100, "흐르는 강물은 되돌아오지 않는다. " * 40
    began = time.process_time()
    for _ in range(50):
        assert highlights(question, text) == ()
        assert highlights("words " * 166, text) == ()
    assert time.process_time() - began < 2.0, "with patterns it took twelve seconds"
