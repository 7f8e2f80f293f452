"""How well a passage answers a question, and how hits become moments of videos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from biblio.domain.highlights import highlights
from biblio.domain.passages import Passage
from biblio.domain.words import is_syllabic

READING = 20.0
"""Seconds of text that are shown from where a moment begins."""

NEIGHBOURS, SURROUNDINGS = 10.0, 40.0
"""Seconds. Hits of one video that begin nearer to each other are one moment, which begins with the better one. So are,
farther apart, those that say nothing of the question themselves: they were found by what is said around them."""

UNRELATED = 0.02
"""Cosine of sentences that have nothing in common."""

TOLD_BY_WORDS, TOLD_BY_MEANING = 0.3, 0.4
"""From which share of the question's words, or cosine, these are named as the reason of a hit."""


class Mode(StrEnum):
    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    KEYWORD = "keyword"


class Reason(StrEnum):
    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True)
class Scope:
    """Where to look: in all videos, or in `only` these; never in those `without`."""

    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()


EVERYWHERE = Scope()


@dataclass(frozen=True)
class Filters:
    """Which videos: language (ISO 639-1), added from `since` until before `until`, duration in seconds, part of the
    title. None: any."""

    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    shortest: float | None = None
    longest: float | None = None
    title: str | None = None


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Hit:
    """A passage that may answer. `meaning` is a cosine (-1 to 1). `words` is the share of the question that is said in
    and around it, weighed by how rare each word is: 0 is none, 1 is all of it, and more where it is said often."""

    id: str
    video_id: str
    title: str
    passage: Passage
    meaning: float = 0.0
    words: float = 0.0
    poster: int | None = None

    @property
    def start(self) -> float:
        return self.passage.start


@dataclass(frozen=True)
class Moment:
    """Where an answer is said. `highlights` are [from, to) offsets into `text`; `score` is 0 to 1."""

    start: float
    end: float
    text: str
    highlights: tuple[tuple[int, int], ...]
    score: float
    matched: tuple[Reason, ...]


@dataclass(frozen=True)
class Found:
    """A video and its moments, best first."""

    video_id: str
    title: str
    moments: tuple[Moment, ...]
    poster: int | None = None


@dataclass(frozen=True)
class Weighing:
    """How words and meaning make one score. A question few of whose words are said says nothing by them: their share
    counts above `cutoff`, and less than in proportion below all (`power`). `meaning` is the cosine's weight."""

    cutoff: float
    power: float
    meaning: float

    def score(self, words: float, meaning: float) -> float:
        said: float = max(0.0, (words - self.cutoff) / (1 - self.cutoff)) ** self.power
        return (said + self.meaning * max(0.0, meaning)) / (1 + self.meaning)


PAIRS_OF_SYLLABLES = Weighing(cutoff=0.0, power=2.0, meaning=0.25)
WHOLE_WORDS = Weighing(cutoff=0.3, power=1.0, meaning=1.0)
"""Both chosen by `bench/search_quality.py` (docs/decisions/0018): pairs of syllables tell far more than whole words."""


def weighing_of(question: str) -> Weighing:
    return PAIRS_OF_SYLLABLES if any(map(is_syllabic, question)) else WHOLE_WORDS


def score(hit: Hit, mode: Mode, weighing: Weighing) -> float:
    if mode is Mode.SEMANTIC:
        return hit.meaning
    if mode is Mode.KEYWORD:
        return hit.words
    return weighing.score(hit.words, hit.meaning)


def ranked(hits: Sequence[Hit], mode: Mode, weighing: Weighing) -> list[Hit]:
    """Best first; equal ones in a fixed order. What has nothing to do with the question is left out."""
    related = (hit for hit in hits if hit.words > 0 or hit.meaning >= UNRELATED)
    return sorted(related, key=lambda hit: (-score(hit, mode, weighing), hit.video_id, hit.start))


def grouped(question: str, hits: Sequence[Hit], limit: int, moments: int) -> list[list[Hit]]:
    """At most `limit` videos with at most so many places of each, the best first. Neighbours are one place."""
    videos: dict[str, list[Hit]] = {}
    for hit in hits:
        places = videos.setdefault(hit.video_id, [])
        if len(places) < moments and not _is_told_already(question, hit, places):
            places.append(hit)
    return list(videos.values())[:limit]


def _is_told_already(question: str, hit: Hit, places: Sequence[Hit]) -> bool:
    apart = min((abs(hit.start - other.start) for other in places), default=SURROUNDINGS)
    if apart < NEIGHBOURS or apart >= SURROUNDINGS or hit.meaning >= TOLD_BY_MEANING:
        return apart < NEIGHBOURS
    return hit.words > hit.meaning and not highlights(question, hit.passage.text)


def found_of(
    question: str, hits: Sequence[Hit], texts: Mapping[str, Sequence[Passage]], mode: Mode, weighing: Weighing
) -> Found:
    """One video's places as moments. `texts` by id of a hit: what is said from there on."""
    moments = tuple(_moment(question, hit, texts.get(hit.id, [hit.passage]), mode, weighing) for hit in hits)
    return Found(hits[0].video_id, hits[0].title, moments, hits[0].poster)


def _moment(question: str, hit: Hit, said: Sequence[Passage], mode: Mode, weighing: Weighing) -> Moment:
    text = " ".join(passage.text for passage in said)
    points = round(min(1.0, max(0.0, score(hit, mode, weighing))), 4)
    marked = () if mode is Mode.SEMANTIC else highlights(question, text)
    return Moment(hit.start, said[-1].end, text, marked, points, _reasons(hit, mode))


def _reasons(hit: Hit, mode: Mode) -> tuple[Reason, ...]:
    if mode is not Mode.HYBRID:
        return (Reason.MEANING if mode is Mode.SEMANTIC else Reason.WORDS,)
    told = {Reason.WORDS: hit.words >= TOLD_BY_WORDS, Reason.MEANING: hit.meaning >= TOLD_BY_MEANING}
    better = Reason.WORDS if hit.words >= hit.meaning else Reason.MEANING
    return tuple(reason for reason in Reason if told[reason]) or (better,)
