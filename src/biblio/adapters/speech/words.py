"""Words as biblio keeps them: in order, inside the sound, without what cannot be shown. For every recogniser."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from biblio.domain.transcript import Word

USUAL_PACE = 0.12
"""Seconds a character: between Korean (0.18) and English (0.07)."""
_ENOUGH_TO_JUDGE = 20


def in_order(words: Iterable[Word], start: float, end: float) -> tuple[Word, ...]:
    """`words` with their times moved into `start`..`end` seconds and never backwards; empty words are left out."""
    kept: list[Word] = []
    for word in words:
        text = _shown(word.text)
        if not text.strip():
            continue
        begin = min(max(word.start, start), end)
        kept.append(Word(text, begin, min(max(word.end, begin), end)))
        start = begin
    return tuple(kept)


def whole(words: Sequence[Word], text: str, start: float, latest: float) -> list[Word]:
    """`words` from `start` seconds on, and what `text` says beyond them at the same pace, until `latest` at most.

    A recogniser may lose words when it puts times to its text; the text counts.
    """
    kept, said = list[Word](), 0
    for word in words:
        if not text.startswith(word.text, said):
            break
        kept.append(word)
        said += len(word.text)
    rest = text[said:]
    if not rest.strip():
        return kept
    begin = kept[-1].end if kept else start
    pace = (begin - kept[0].start) / said if said >= _ENOUGH_TO_JUDGE else USUAL_PACE
    return kept + spread(rest, begin, min(begin + pace * len(rest), max(latest, begin)))


def spread(text: str, start: float, end: float) -> list[Word]:
    """The words of a text whose words have no times, spread evenly between `start` and `end` seconds."""
    words = re.findall(r"\s*\S+", text)
    step = (end - start) / max(len(words), 1)
    return [Word(word, start + index * step, start + (index + 1) * step) for index, word in enumerate(words)]


def _shown(text: str) -> str:
    """Control characters break JSON readers, PostgreSQL (NUL) and subtitles (line breaks)."""
    return "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")
    )
