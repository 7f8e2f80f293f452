"""What a question asks for, how well a passage answers it, and how hits become moments of videos."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from biblio.domain.transcript import Sentence

_RUN = re.compile(r"[가-힣]+|[^\W_가-힣]+")
_HANGUL = re.compile(r"[가-힣]+")
LONGEST_WORD = 20
"""Syllables. What is longer is no word, and is looked for by its beginning."""


class Mode(StrEnum):
    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    KEYWORD = "keyword"


@dataclass(frozen=True)
class Hit:
    """A passage that may answer. `semantic` is a cosine (-1 to 1), `keyword` the share of the question's terms (0–1);
    None where that kind of search did not look at it."""

    video_id: str
    title: str
    start: float
    end: float
    sentences: tuple[Sentence, ...]
    semantic: float | None = None
    keyword: float | None = None

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True)
class Moment:
    """Where an answer is said. `highlights` are [from, to) offsets into `text`."""

    start: float
    end: float
    text: str
    highlights: tuple[tuple[int, int], ...]
    score: float


@dataclass(frozen=True)
class Found:
    """A video and its moments, best first."""

    video_id: str
    title: str
    moments: tuple[Moment, ...]


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def terms_of(text: str) -> tuple[str, ...]:
    """The units that keyword search compares.

    Korean glues particles to nouns ('트랜잭션은'), so Hangul goes in as pairs of syllables, which need no dictionary;
    other scripts go in as whole words.
    """
    terms: list[str] = []
    for run in _RUN.findall(folded(text)):
        if _HANGUL.fullmatch(run) and len(run) > 1:
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            terms.append(run)
    return tuple(terms)


def is_open(term: str) -> bool:
    """Whether a question's term stands for all that begin with it: one syllable ('책') makes no pair without its
    particle ('책은')."""
    return len(term) == 1 and _HANGUL.fullmatch(term) is not None


def coverage(question: Iterable[str], text: str) -> float:
    """The share (0–1) of the question's terms that a text holds."""
    wanted, held = set(question), set(terms_of(text))
    begun = {term[0] for term in held}
    found = [term for term in wanted if term in held or (is_open(term) and term in begun)]
    return len(found) / len(wanted) if wanted else 0.0


def fuse(question: str, semantic: Sequence[Hit], keyword: Sequence[Hit], mode: Mode) -> list[Hit]:
    """One list of hits, best first. Equal weight on two bounded scores, not on two rankings: a ranking forgets that its
    best hit was a poor one, and a question in another language has only poor keyword hits."""
    terms = terms_of(question)
    merged: dict[tuple[str, float], Hit] = {}
    for hit in (*semantic, *keyword):
        place = (hit.video_id, hit.start)
        known = merged.get(place, hit)
        merged[place] = replace(
            known,
            semantic=known.semantic if known.semantic is not None else hit.semantic,
            keyword=coverage(terms, hit.text),
        )
    floor = min((hit.semantic for hit in semantic if hit.semantic is not None), default=0.0)
    hits = [replace(hit, semantic=floor if hit.semantic is None else hit.semantic) for hit in merged.values()]
    return sorted(hits, key=lambda hit: (-score(hit, mode), hit.video_id, hit.start))


def score(hit: Hit, mode: Mode) -> float:
    semantic, keyword = hit.semantic or 0.0, hit.keyword or 0.0
    if mode is Mode.SEMANTIC:
        return semantic
    if mode is Mode.KEYWORD:
        return keyword
    return (semantic + keyword) / 2


def group(question: str, hits: Sequence[Hit], mode: Mode, limit: int) -> list[Found]:
    """At most `limit` videos, the one with the best moment first. Hits of a video that overlap are one moment."""
    videos: dict[str, list[Hit]] = {}
    for hit in hits:
        kept = videos.setdefault(hit.video_id, [])
        if not any(hit.start < other.end and other.start < hit.end for other in kept):
            kept.append(hit)
    return [
        Found(video_id, kept[0].title, tuple(_moment(question, hit, mode) for hit in kept))
        for video_id, kept in list(videos.items())[:limit]
    ]


def _moment(question: str, hit: Hit, mode: Mode) -> Moment:
    """Begin with the sentence that shares most with the question; where none does, with the passage."""
    terms = terms_of(question)
    shares = [coverage(terms, sentence.text) for sentence in hit.sentences]
    best = shares.index(max(shares)) if shares and max(shares) > 0 else 0
    sentences = hit.sentences[best:]
    text = " ".join(sentence.text for sentence in sentences)
    start = sentences[0].start if sentences else hit.start
    return Moment(start, hit.end, text, highlights(question, text), round(score(hit, mode), 4))


def highlights(question: str, text: str) -> tuple[tuple[int, int], ...]:
    """Ranges of `text` that stand in the question too; a Korean word also matches without its last syllables."""
    # A few letters change length when folded; they stay, because offsets must not drift.
    lowered = "".join(low if len(low := letter.casefold()) == 1 else letter for letter in text)
    ranges = [found for run in _RUN.findall(folded(question)) for found in _places(run, lowered)]
    return _merged(ranges)


def _places(run: str, text: str) -> list[tuple[int, int]]:
    if _HANGUL.fullmatch(run) is None:
        return [
            (start, end)
            for start, end in _spans(run, text)
            if not (_is_letter(text[start - 1 : start]) or _is_letter(text[end : end + 1]))
        ]
    for length in range(min(len(run), LONGEST_WORD), min(2, len(run)) - 1, -1):
        found = _spans(run[:length], text)
        if length == 1:  # inside a word it is a mere syllable
            found = [(start, end) for start, end in found if not _HANGUL.match(text[start - 1 : start])]
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
    return one.isalnum() and _HANGUL.match(one) is None


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
