"""Words with times from an answer whose words have no punctuation and whose text has no times."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from pydantic import BaseModel

from biblio.adapters.speech.words import spread, whole
from biblio.domain.transcript import Word

AHEAD = 8
"""Words looked at for one that stands next in the text, where a service lists words that its text does not have."""
REACH = 40
"""Characters of the text looked at for a word, where a service lists fewer words than its text has."""
STALE = 5.0
"""Seconds before a segment from when on a word cannot be its own. Times of segments are rougher than those of words."""

_LETTER = re.compile(r"\w")
_EDGES = re.compile(r"^\W+|\W+$")
_GAP = re.compile(r"([^\w\s]*)(.*?)(\s*[^\w\s]*)", re.DOTALL)
_NO_BLANKS = re.compile(r"[ぁ-鿿ก-๛]")


class TimedWord(BaseModel):
    word: str
    start: float
    end: float


class TimedText(BaseModel):
    text: str
    start: float
    end: float


class Detected(BaseModel):
    code: str


class Answer(BaseModel):
    """A transcription as `verbose_json` or `json`. `language` is a name or a code. Times in seconds of the piece."""

    text: str
    language: str | None = None
    languages: list[Detected] | None = None
    segments: list[TimedText] | None = None
    words: list[TimedWord] | None = None


class _Place(NamedTuple):
    """Where in the text a word stands, and when it is said."""

    first: int
    end: int
    starts: float
    ends: float


def words_of(answer: Answer, seconds: float) -> tuple[Word, ...]:
    """All of the text, each of its words once. Where a word has no time of its own, its segment's is shared out."""
    listed, said = deque(answer.words or ()), list[Word]()
    segments = _segments(answer, seconds)
    ends = [*(segment.start for segment in segments[1:]), seconds]
    for segment, latest in zip(segments, ends, strict=False):
        said += _timed(segment, listed, latest)
    return tuple(said)


def _segments(answer: Answer, seconds: float) -> list[TimedText]:
    if not answer.segments:
        return [TimedText(text=_begun(answer.text), start=0.0, end=seconds)] if answer.text.strip() else []
    found, place = list[TimedText](), 0
    for segment in answer.segments:
        bare = segment.text.strip()
        at = answer.text.find(bare, place) if bare else -1
        # Some servers strip their segments: whether a blank stands before one, the whole text knows.
        glued = at > 0 and not answer.text[at - 1].isspace()
        place = at + len(bare) if at >= 0 else place
        text = segment.text if glued else _begun(segment.text)
        found.append(TimedText(text=text, start=segment.start, end=segment.end))
    return found


def _begun(text: str) -> str:
    """With the blank before it that a language writes."""
    return text if not text or text[0].isspace() or _NO_BLANKS.match(text) else f" {text}"


def _timed(segment: TimedText, listed: deque[TimedWord], latest: float) -> list[Word]:
    while listed and listed[0].end < segment.start - STALE:
        listed.popleft()
    places = list(_places(segment.text, listed))
    if not places:
        return spread(segment.text, segment.start, segment.end)
    return whole(_filled(segment, places), segment.text, segment.start, latest)


def _places(text: str, listed: deque[TimedWord]) -> Iterator[_Place]:
    """Takes from `listed` what the text says, in its order, and what it leaves out before."""
    end = 0
    while letter := _LETTER.search(text, end):
        found = _next(text, listed, letter.start())
        if found is None:
            return
        skipped, place = found
        for _ in range(skipped + 1):
            listed.popleft()
        end = place.end
        yield place


def _next(text: str, listed: deque[TimedWord], letter: int) -> tuple[int, _Place] | None:
    """The first listed word that stands at `letter` or soon after it, and how many are skipped for it."""
    for skipped, word in enumerate(islice(listed, AHEAD)):
        bare = _EDGES.sub("", word.word)
        first = _find(text, bare, letter) if bare else -1
        if first >= 0:
            return skipped, _Place(first, first + len(bare), word.start, word.end)
    return None


def _find(text: str, bare: str, next_letter: int) -> int:
    if text.startswith(bare, next_letter):
        return next_letter
    pattern = re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)")
    found = pattern.search(text, next_letter, next_letter + len(bare) + REACH)
    return found.start() if found else -1


def _filled(segment: TimedText, places: Sequence[_Place]) -> list[Word]:
    """The text up to the last place. Punctuation goes to the word before it, blanks to the word after."""
    text = segment.text
    words, lead = _before(text[: places[0].first], segment.start, places[0].starts)
    for place, after in pairwise(places):
        tail, middle, before_next = _parted(text[place.end : after.first])
        words.append(Word(lead + text[place.first : place.end] + tail, place.starts, place.ends))
        words += spread(middle, place.ends, max(after.starts, place.ends))
        lead = before_next
    place = places[-1]
    tail, _, _ = _parted(text[place.end :])
    words.append(Word(lead + text[place.first : place.end] + tail.rstrip(), place.starts, place.ends))
    return words


def _before(text: str, start: float, end: float) -> tuple[list[Word], str]:
    """Words that stand before the first one with a time, and what belongs to that one."""
    if not _LETTER.search(text):
        return [], text
    tail, middle, lead = _parted(text)
    return spread(tail + middle, min(start, end), end), lead


def _parted(gap: str) -> tuple[str, str, str]:
    """What ends the word before, what is said in between without a time, what begins the word after."""
    match = _GAP.fullmatch(gap)
    assert match is not None, "the pattern takes any text"
    tail, middle, lead = match.groups()
    return (tail, middle, lead) if _LETTER.search(middle) else (tail + middle, "", lead)
