"""Where the words of a question stand in a text."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import compress, count
from operator import not_

from biblio.domain.words import SYLLABLES, folded, is_syllabic

_RUN = re.compile(rf"[{SYLLABLES}]+|[^\W_{SYLLABLES}]+")
LONGEST_WORD = 20
"""Syllables. What is longer is no word, and is looked for by its beginning."""

_LITTLE = (
    "a an and are as at be by can did do does for from had has have he her his how i in is it "
    "its me my of on or our she so that the their them they this to was we were what when where "
    "which who why will with would you your "
)
SAYS_NOTHING = frozenset(_LITTLE.split())
"""English words that stand everywhere; they are found, but nobody needs to see where."""


def highlights(question: str, text: str) -> tuple[tuple[int, int], ...]:
    """[from, to) offsets into `text`, going forward, without overlaps. A Korean word also matches without its last
    syllables, and whatever blanks stand inside it."""
    lowered = _lowered(text)
    runs = _telling(question)
    ranges = [found for run in runs if not is_syllabic(run) for found in _in_words(run, lowered)]
    syllabic = [run for run in runs if is_syllabic(run)]
    if syllabic:
        letters = list(compress(count(), map(not_, map(str.isspace, lowered))))
        close = "".join(lowered.split())
        ranges += [found for run in syllabic for found in _in_syllables(run, close, letters, lowered)]
    return _merged(ranges)


@lru_cache(maxsize=64)  # one question is looked for in many texts
def _telling(question: str) -> tuple[str, ...]:
    runs = tuple(dict.fromkeys(_RUN.findall(folded(question))))
    return tuple(run for run in runs if run not in SAYS_NOTHING) or runs


def _lowered(text: str) -> str:
    """Folded, letter for letter: a few would change length; they stay, because offsets must not drift."""
    if unicodedata.is_normalized("NFKC", text) and len(low := text.casefold()) == len(text):
        return low
    return "".join(low if len(low := folded(letter)) == 1 else letter for letter in text)


def _in_words(run: str, text: str) -> Iterator[tuple[int, int]]:
    for start, end in _spans(run, text):
        if not (_is_letter(text[start - 1 : start]) or _is_letter(text[end : end + 1])):
            yield start, end


def _in_syllables(run: str, close: str, letters: list[int], text: str) -> list[tuple[int, int]]:
    for length in range(min(len(run), LONGEST_WORD), min(2, len(run)) - 1, -1):
        spans = _spans(run[:length], close)
        found = [(letters[start], letters[end - 1] + 1) for start, end in spans]
        if length == 1:  # inside a word it is a mere syllable
            found = [(start, end) for start, end in found if not is_syllabic(text[start - 1 : start] or " ")]
        if found:
            return found
    return []


def _spans(part: str, text: str) -> list[tuple[int, int]]:
    """Wherever `part` stands, without overlaps. No pattern: a question may be long, and is asked of many texts."""
    spans, start = [], text.find(part)
    while start >= 0:
        spans.append((start, start + len(part)))
        start = text.find(part, start + len(part))
    return spans


def _is_letter(one: str) -> bool:
    """Or digit, of a script that has blanks between its words."""
    return one.isalnum() and not is_syllabic(one)


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
