"""The units that keyword search compares."""

import re
import unicodedata
from collections.abc import Iterator

SYLLABLES = "가-힣ぁ-ゖァ-ヺ一-鿿"
"""Letters of scripts that are looked for in pairs: Hangul, which glues particles to nouns, and those without blanks."""

_RUN = re.compile(rf"[{SYLLABLES}][{SYLLABLES}\s]*|[^\W_{SYLLABLES}]+")
_WORD = re.compile(rf"[{SYLLABLES}]+")
_SYLLABLE = re.compile(rf"[{SYLLABLES}]")
BEGINS = "^"
"""Stands before the first syllable of a word."""


def folded(text: str) -> str:
    """One form of what looks the same: Hangul composed, letters of full width narrow, no capitals."""
    return unicodedata.normalize("NFKC", text).casefold()


def sorting_key(title: str) -> str:
    """Where a title stands in a list: capitals do not matter, and 'Lecture 2' comes before 'Lecture 10'."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(10), folded(title))


def is_syllabic(term: str) -> bool:
    return _SYLLABLE.match(term.removeprefix(BEGINS)) is not None


def terms_of(text: str) -> tuple[str, ...]:
    """Hangul goes in as pairs of syllables, across blanks: neither particles nor spacing nor a dictionary matter
    ('데이터 베이스' is '데이터베이스'). Other scripts go in as whole words."""
    return tuple(_terms(folded(text)))


def held_terms(text: str) -> tuple[str, ...]:
    """What a text is found by: its terms, and the beginnings of its words for questions of one syllable ('책')."""
    plain = folded(text)
    return (*_terms(plain), *(BEGINS + word[0] for word in _WORD.findall(plain)))


def asked_terms(question: str) -> tuple[str, ...]:
    """What a question looks for, each once. A question of one syllable stands for all words that begin with it."""
    plain = folded(question)
    terms = (BEGINS + term if len(term) == 1 and is_syllabic(term) else term for term in _terms(plain))
    return tuple(dict.fromkeys(terms))


def _terms(plain: str) -> Iterator[str]:
    for run in _RUN.findall(plain):
        if _SYLLABLE.match(run):
            close = "".join(run.split())
            yield from (close[i : i + 2] for i in range(len(close) - 1)) if len(close) > 1 else (close,)
        else:
            yield run
