import time
import unicodedata
from contextlib import suppress

import pytest

from biblio.domain.question import LONGEST, Question, closed, read_question
from biblio.errors import InvalidInput


@pytest.mark.parametrize(
    ("typed", "text", "phrases", "excluded"),
    [
        ("트랜잭션이 뭐죠?", "트랜잭션이 뭐죠?", (), ()),
        ("  two \t words \x00", "two words", (), ()),
        ('"데이터 베이스" 인덱스', "데이터 베이스 인덱스", ("데이터 베이스",), ()),
        ("“smart quotes” here", "smart quotes here", ("smart quotes",), ()),
        ('"plain to smart” here', "plain to smart here", ("plain to smart",), ()),
        ('"one" "two"', "one two", ("one", "two"), ()),
        ("java -script", "java", (), ("script",)),
        ("java −script", "java", (), ("script",)),
        ('java -"type script"', "java", (), ("type script",)),
        ("java -“type script”", "java", (), ("type script",)),
        ("인덱스 -트랜잭션 -잠금", "인덱스", (), ("트랜잭션", "잠금")),
        ('"a b" -c d', "a b d", ("a b",), ("c",)),
        ("well-known facts", "well-known facts", (), ()),
        ("a - b", "a - b", (), ()),
        ("-", "-", (), ()),
        ("a -… b", "a … b", (), ()),
        ("C++", "C++", (), ()),
        ('say "hello', "say hello", (), ()),
        ('"" a', "a", (), ()),
        ('"…" a', "… a", (), ()),
        ("🎓", "🎓", (), ()),
    ],
)
def test_what_is_typed_is_taken_apart(
    typed: str, text: str, phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    question = read_question(typed)
    assert question == Question(text, phrases, excluded)
    assert question.is_exact is bool(phrases or excluded)


@pytest.mark.parametrize("typed", ["'", '"', '""', "“”", '"""', '" "', "((("])
def test_any_text_is_a_question(typed: str) -> None:
    """It need not say anything."""
    assert read_question(typed).terms == ()


def test_the_terms_are_those_of_what_is_asked_for_not_of_what_is_excluded() -> None:
    assert read_question('"Index" GPU를 -table').terms == ("index", "gpu", "^를")


@pytest.mark.parametrize("typed", ["", " ", " \x00 \n", "-java", '-"a b"', "-java -트랜잭션", "-a −b"])
def test_nothing_is_no_question_and_neither_is_what_is_merely_not_wanted(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_question(typed)
    assert refused.value.code == "EMPTY_QUESTION"


def test_an_endless_question_is_refused() -> None:
    assert read_question("x" * LONGEST + "  ").text == "x" * 1_000
    with pytest.raises(InvalidInput) as refused:
        read_question("x" * 1_001)
    assert refused.value.code == "QUESTION_TOO_LONG"


@pytest.mark.parametrize(
    ("typed", "text", "said"),
    [
        ('"데이터 베이스"', "이 데이터베이스는 큽니다", True),
        ('"데이터베이스"', "이 데이터 베이스는 큽니다", True),
        ('"데이터 베이스"', "데이터를 베이스에", False),
        ('"Vector Search"', "a vector-search, of course", True),
        ('"vector search"', "search by vector", False),
        ('"ｖｅｃｔｏｒ"', "Vector", True),
        ('"책은 좋다"', unicodedata.normalize("NFD", "책은 좋다"), True),
        ('"one" "two"', "two, one", True),
        ('"one" "two"', "one", False),
        ("anything", "nothing of the kind", True),
        ('"index" -table', "an index of a table", True),
    ],
)
def test_all_phrases_must_be_said(typed: str, text: str, said: bool) -> None:
    """Blanks, capitals and punctuation do not matter."""
    assert read_question(typed).is_said_in(text) is said


@pytest.mark.parametrize(
    ("typed", "text", "excluded"),
    [
        ("a -java", "JAVA, then", True),
        ("a -java", "javascript is another word", False),
        ("a -script", "javascript is one word", False),
        ('a -"java script"', "use Java-Script", True),
        ('a -"java script"', "java and a script", False),
        ("a -트랜잭션", "트랜잭션은 빼고", True),
        ("a -데이터베이스", "데이터 베이스에서", True),
        ("a -책", "정책", True),
        ("a -GPU", "GPU를 쓴다", True),
        ("a -GPU", "G.P.U.", False),
        ("a -one -two", "two", True),
        ('"table" index', "an index of a table", False),
    ],
)
def test_what_says_an_excluded_word_is_excluded(typed: str, text: str, excluded: bool) -> None:
    """A syllable is excluded wherever it stands."""
    assert read_question(typed).excludes(text) is excluded


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("a -c++", "the cat sat"),
        ("a -don't", "we need donations, to go on"),
        ("a -café", "cafés are open"),
        ("a -мир", "кумир и миру"),
        ("a -3.5", "in 1350"),
    ],
)
def test_an_excluded_word_of_a_script_with_blanks_is_a_whole_word(typed: str, text: str) -> None:
    assert not read_question(typed).excludes(text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("a -c++", "we use C++ here"),
        ("a -don't", "I don't know"),
        ("a -café", "un Café"),
        ("a -мир", "Мир, труд"),
        ("a -3.5", "it is 3.5 metres"),
    ],
)
def test_an_excluded_word_is_known_with_its_marks(typed: str, text: str) -> None:
    assert read_question(typed).excludes(text)


def test_closed_text_is_letters_and_digits_alone() -> None:
    assert closed(" Vector-Search, “２” 데이터 베이스!\n") == "vectorsearch2데이터베이스"


def test_an_endless_question_costs_no_more_than_its_length() -> None:
    typed = [("- " * 500)[:LONGEST], ('"a' * 500)[:LONGEST], "-" * LONGEST, '-"' * 500]
    began = time.process_time()
    for one in typed * 20:
        with suppress(InvalidInput):  # some of them only say what they do not want
            question = read_question(one)
            question.excludes("some text " * 50)
            question.is_said_in("some text " * 50)
    assert time.process_time() - began < 2.0
