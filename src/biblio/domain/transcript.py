"""Text with times: words as the recogniser heard them, and the sentences made of them."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SENTENCE_ENDS = frozenset(".?!。？！…")
LONGEST_SENTENCE = 20.0
"""Seconds. Recognisers leave out punctuation, Korean most of all; a sentence this long is cut at its next word."""
PAUSE = 0.7
"""Seconds of silence between two words that end a sentence where punctuation does not."""
SHORTEST_SENTENCE = 3.0
"""Seconds a sentence must have before a pause may end it: speakers pause inside sentences too."""

FINAL_ENDINGS = (
    *(
        "니다",
        "니까",
        "어요",
        "아요",
        "에요",
        "예요",
        "해요",
        "돼요",
        "네요",
        "군요",
        "데요",
        "고요",
        "세요",
        "시죠",
        "거죠",
    ),
    *("하죠", "지요", "까요"),
)
CLAUSE_ENDINGS = ("는데", "은데", "지만", "면서", "면은", "으며", "면", "고", "서")
"""Korean says by a word's ending that a sentence is over, or a clause of it. Speakers string clauses together for half
a minute; whoever looks for one of them wants to land on it."""
SHORTEST_FINAL, SHORTEST_CLAUSE, LONGEST_CLAUSE = 2.0, 3.0, 8.0
"""Seconds: from when on such an ending ends a sentence, and after which one in Korean is cut at its next word."""


@dataclass(frozen=True)
class Word:
    """`text` keeps the blank before it where the language writes one. Times in seconds from the film's start."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Sentence:
    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Transcript:
    """`language` is ISO 639-1 ('' when there was no speech), `duration` seconds, `engine` and `model` who heard it."""

    language: str
    duration: float
    sentences: tuple[Sentence, ...]
    engine: str
    model: str

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    def as_json(self) -> dict[str, Any]:
        return {
            "language": self.language,
            "duration": self.duration,
            "engine": self.engine,
            "model": self.model,
            **results(self.sentences),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Transcript":
        rows = data["results"]
        sentences = tuple(Sentence(row["transcript"], row["start_time"], row["end_time"]) for row in rows)
        return cls(data["language"], data["duration"], sentences, data["engine"], data["model"])


def results(sentences: Iterable[Sentence]) -> dict[str, Any]:
    """The specification's transcript (step 4), field for field."""
    return {
        "results": [
            {"transcript": sentence.text, "start_time": sentence.start, "end_time": sentence.end}
            for sentence in sentences
        ]
    }


def sentences_of(words: Iterable[Word]) -> tuple[Sentence, ...]:
    """Group words into sentences: at punctuation, at a pause, or where one grows too long."""
    return tuple(_sentence(group) for group in _groups(words) if _text(group))


def _groups(words: Iterable[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and _ends_before(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _ends_before(group: Sequence[Word], word: Word) -> bool:
    last = group[-1]
    length = last.end - group[0].start
    if last.text.rstrip()[-1:] in SENTENCE_ENDS and not _inside_number(last, word):
        return True
    if length >= SHORTEST_SENTENCE and word.start - last.end >= PAUSE:
        return True
    if _is_hangul(last):
        return _ends_in_korean(group, word)
    return word.end - group[0].start > LONGEST_SENTENCE


def _ends_in_korean(group: Sequence[Word], word: Word) -> bool:
    said = group[-1].text.rstrip(" ,")
    length = group[-1].end - group[0].start
    if length >= SHORTEST_FINAL and said.endswith(FINAL_ENDINGS):
        return True
    if length >= SHORTEST_CLAUSE and said.endswith(CLAUSE_ENDINGS):
        return True
    return word.end - group[0].start > LONGEST_CLAUSE


def _is_hangul(word: Word) -> bool:
    return "가" <= word.text.rstrip(" ,")[-1:] <= "힣"


def _inside_number(last: Word, word: Word) -> bool:
    """Recognisers split '3.5' into '3.' and '5': no blank and a digit follow."""
    return last.text.endswith(".") and word.text[:1].isdigit()


def _text(group: Sequence[Word]) -> str:
    text = "".join(word.text for word in group).replace("\x00", "")
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _sentence(group: Sequence[Word]) -> Sentence:
    return Sentence(_text(group), round(group[0].start, 3), round(max(group[-1].end, group[0].start), 3))
