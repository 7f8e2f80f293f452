"""Text with times: words as the recogniser heard them, and the sentences made of them."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from biblio.domain.hearing import Share

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
CLAUSE_ENDINGS = ("지만", "면서", "면은", "으며", "면", "고", "서")
"""Korean says by a word's ending that a sentence is over, or a clause of it. Speakers string clauses together for half
a minute; whoever looks for one of them wants to land on it."""
BACKGROUND, WITH_N = "데", "ᆫ"
"""A clause's ending too: -는데, -은데, -인데, -텐데. The syllable before it ends with ㄴ."""
NO_ENDINGS = frozenset({"그러니까", "그런데", "근데", "가운데"})
"""Words that only look so: what they begin goes on."""
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
    """`words` are those of the text, in its order, without the blanks between them; none where only the text is known.
    They don't make it another sentence."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Transcript:
    """`language` is ISO 639-1 ('' when there was no speech), `duration` seconds, `engine` and `model` who heard it, or
    most of it; `shares` who heard which part, empty in what was heard before that was kept."""

    language: str
    duration: float
    sentences: tuple[Sentence, ...]
    engine: str
    model: str
    shares: tuple[Share, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    def as_json(self) -> dict[str, Any]:
        return {
            "language": self.language,
            "duration": self.duration,
            "engine": self.engine,
            "model": self.model,
            "shares": [share.as_json() for share in self.shares],
            **results(self.sentences, with_words=True),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Transcript":
        rows = data["results"]
        sentences = tuple(
            Sentence(row["transcript"], row["start_time"], row["end_time"], words_of(row.get("words", ())))
            for row in rows
        )
        shares = tuple(map(Share.from_json, data.get("shares", ())))
        return cls(data["language"], data["duration"], sentences, data["engine"], data["model"], shares)


def results(sentences: Iterable[Sentence], *, with_words: bool = False) -> dict[str, Any]:
    """The specification's transcript (step 4), field for field; and beside them, where wanted, the words."""
    return {
        "results": [
            {
                "transcript": sentence.text,
                "start_time": sentence.start,
                "end_time": sentence.end,
                **({"words": rows_of(sentence.words)} if with_words else {}),
            }
            for sentence in sentences
        ]
    }


def rows_of(words: Iterable[Word]) -> list[list[Any]]:
    """As JSON keeps them."""
    return [[word.text, word.start, word.end] for word in words]


def words_of(rows: Iterable[Sequence[Any]]) -> tuple[Word, ...]:
    return tuple(Word(*row) for row in rows)


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
    if said.lstrip() not in NO_ENDINGS:
        if length >= SHORTEST_FINAL and said.endswith(FINAL_ENDINGS):
            return True
        if length >= SHORTEST_CLAUSE and _ends_clause(said):
            return True
    return word.end - group[0].start > LONGEST_CLAUSE


def _ends_clause(said: str) -> bool:
    if said.endswith(BACKGROUND):
        return unicodedata.normalize("NFD", said[-2:-1]).endswith(WITH_N)
    return said.endswith(CLAUSE_ENDINGS)


def _is_hangul(word: Word) -> bool:
    return "가" <= word.text.rstrip(" ,")[-1:] <= "힣"


def _inside_number(last: Word, word: Word) -> bool:
    """Recognisers split '3.5' into '3.' and '5': no blank and a digit follow."""
    return last.text.endswith(".") and word.text[:1].isdigit()


def _text(group: Sequence[Word]) -> str:
    return _plain("".join(word.text for word in group))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.replace("\x00", "").split()))


def _sentence(group: Sequence[Word]) -> Sentence:
    start, end = round(group[0].start, 3), round(max(group[-1].end, group[0].start), 3)
    return Sentence(_text(group), start, end, tuple(_words(group)))


def _words(group: Sequence[Word]) -> Iterator[Word]:
    """What stands between blanks is one word: recognisers split '3.5' and 'don't'. Scripts that write no blanks keep
    the recogniser's words."""
    whole: list[Word] = []
    for word in group:
        if whole and (word.text[:1].isspace() or whole[-1].text[-1:].isspace() or _writes_no_blanks(word)):
            yield from _joined(whole)
            whole = []
        whole.append(word)
    yield from _joined(whole)


def _joined(parts: Sequence[Word]) -> Iterator[Word]:
    text = _plain("".join(part.text for part in parts))
    if text:
        start = round(parts[0].start, 3)
        yield Word(text, start, max(start, round(parts[-1].end, 3)))


def _writes_no_blanks(word: Word) -> bool:
    return "ぁ" <= word.text[:1] <= "鿿" or "ก" <= word.text[:1] <= "๛"
