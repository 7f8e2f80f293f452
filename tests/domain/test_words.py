import random
import time
import unicodedata

import pytest

from biblio.domain.words import asked_terms, folded, held_terms, is_syllabic, terms_of


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("트랜잭션은", ("트랜", "랜잭", "잭션", "션은")),
        ("책을 폅니다", ("책을", "을폅", "폅니", "니다")),
        ("Index, INDEXES! don't", ("index", "indexes", "don", "t")),
        ("GPU가 2배", ("gpu", "가", "2", "배")),
        ("3.5 snake_case", ("3", "5", "snake", "case")),
        ("Straße", ("strasse",)),
        ("中文搜索", ("中文", "文搜", "搜索")),
        ("ひらがな", ("ひら", "らが", "がな")),
        ("кумир мир", ("кумир", "мир")),
        ("'a' | b & !c:*\\ \x00", ("a", "b", "c")),
        ("…!? 🎓 _", ()),
        ("", ()),
    ],
)
def test_terms_are_pairs_of_syllables_and_whole_words(text: str, terms: tuple[str, ...]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("데이터 베이스", "데이터베이스"),
        ("데 이\t터\n베이스", "데이터베이스"),
        ("Index", "INDEX"),
        ("ＧＰＵ １２", "gpu 12"),
        ("ﾊﾝ", "ハン"),
        ("ﬁle", "file"),
        (nfd("데이터베이스를"), "데이터베이스를"),
        (nfd("Café é"), "café é"),
    ],
)
def test_what_looks_the_same_has_the_same_terms(one: str, other: str) -> None:
    """Spacing, capitals, width, and composed letters or not."""
    assert terms_of(one) == terms_of(other)
    assert asked_terms(one) == asked_terms(other)


def test_punctuation_ends_a_pair_and_a_blank_does_not() -> None:
    assert terms_of("책. 상") == ("책", "상")
    assert terms_of("책 상") == ("책상",)


def is_found(question: str, text: str) -> bool:
    return set(asked_terms(question)) <= set(held_terms(text))


@pytest.mark.parametrize("particle", ["", "은", "을", "에서는", "이라고", " 하나"])
@pytest.mark.parametrize("word", ["책", "서버", "트랜잭션", "GPU", "데이터베이스"])
def test_a_word_is_held_with_any_particle_behind_it(word: str, particle: str) -> None:
    assert is_found(word, f"오늘 배울 {word}{particle} 중요합니다.")


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("데이터 베이스", "데이터베이스를 만듭니다", True),
        ("데이터베이스", "데이터 베이스를 만듭니다", True),
        ("책", "책상 위에", True),
        ("책", "정책은 어렵다", False),
        ("책", "그 책", True),
        ("index", "indexes", False),
        ("gpu", "GPU를 쓴다", True),
        ("ＧＰＵ", "gpu가 빠르다", True),
        ("트랜잭션", "트랜스포머", False),
        ("中", "中文", True),
    ],
)
def test_a_question_of_one_syllable_stands_for_words_that_begin_with_it(question: str, text: str, found: bool) -> None:
    assert is_found(question, text) is found


def test_some_of_the_terms_of_a_question_with_a_particle_are_held_without_it() -> None:
    """'GPU를' asks for 'gpu' and for a word that begins with '를'; the first is enough to be found."""
    assert set(asked_terms("GPU를")) & set(held_terms("gpu is fast")) == {"gpu"}
    assert len(set(asked_terms("트랜잭션을")) & set(held_terms("트랜잭션은"))) == 3


def test_a_question_asks_for_each_term_once_in_order() -> None:
    assert asked_terms("b a b 가나 가나") == ("b", "a", "가나", "나가")


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_text_says_it_is_found_by(seed: int) -> None:
    dice = random.Random(seed)
    letters = "가나다책ab1 _-.,'ぁ中é🎓\u3000ＡーﾃㄷЖ\n"
    text = "".join(dice.choice(letters) for _ in range(dice.randrange(1, 30)))
    assert is_found(text, text)
    assert is_found(text.upper(), nfd(text))


def test_folding_twice_changes_nothing() -> None:
    for text in ("Straße ﬃ ＧＰＵ", nfd("한글 é"), "ㄷ ㈜ ①"):
        assert folded(folded(text)) == folded(text)


def test_a_syllable_is_known_by_its_first_letter_and_behind_the_mark_of_a_beginning() -> None:
    assert [is_syllabic(term) for term in ("책", "책상", "^책", "中", "index", "7", "")] == [True] * 4 + [False] * 3


def test_an_endless_text_costs_no_more_than_its_length() -> None:
    began = time.process_time()
    assert len(terms_of("가 " * 200_000)) == 199_999
    assert len(terms_of("x" * 400_000)) == 1
    assert time.process_time() - began < 3.0
