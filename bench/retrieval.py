"""Retrieval sets as lectures: what is said in them, what is asked, and which answers are right.

A folder holds one folder for each set, told by its files: `passages.jsonl` and `queries.jsonl` (questions about
paragraphs), `pairs.jsonl` (sentences that mean the same), `turns.jsonl` and `queries.jsonl` (meetings), or
`queries.jsonl` alone (talks beside it, in `speech/*/*/<talk>/timeline.jsonl`).
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biblio.domain.search import Moment
from biblio.domain.transcript import Sentence

SENTENCE = re.compile(r"(?<=[.?!。])\s+|\n+")
SYLLABLES_A_SECOND, LETTERS_A_SECOND = 7.0, 15.0
"""How fast Korean and English are spoken, for texts that nobody spoke."""


RIGHT_SECOND = 2.0
"""Seconds between where a moment begins and where the sentence that answers does."""


@dataclass(frozen=True)
class Lecture:
    name: str
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Query:
    """`right` says whether a moment of a lecture answers; where any does, `whole` lectures are ranked, not moments.

    `lecture` is the one it is about, where that is known, and `answers` where in it the sentences that answer begin
    and end, in seconds.
    """

    text: str
    right: Callable[[str, Moment], bool]
    whole: bool = False
    inside: str | None = None
    lecture: str | None = None
    answers: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class RetrievalSet:
    name: str
    lectures: tuple[Lecture, ...]
    queries: tuple[Query, ...]


Hear = Callable[[list[Path]], tuple[Sentence, ...]]
"""Sentences of what a recogniser hears in sounds that are played one after the other."""


def retrieval_sets(folder: Path, hear: Hear | None = None) -> Iterator[RetrievalSet]:
    """With `hear`, talks come twice: as they were written down, and as they were heard."""
    for one in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = {path.stem for path in one.glob("*.jsonl")}
        if "passages" in files:
            yield _paragraphs(one)
        elif "pairs" in files:
            yield from _pairs(one)
        elif "turns" in files:
            yield _meetings(one)
        elif "queries" in files:
            yield from _talks(one, hear)


def _paragraphs(folder: Path) -> RetrievalSet:
    lectures = tuple(_spoken(row["id"], row.get("title", ""), row["text"]) for row in _rows(folder / "passages.jsonl"))
    queries = tuple(Query(row["query"], _in(row["gold"]), whole=True) for row in _rows(folder / "queries.jsonl"))
    return RetrievalSet(folder.name, lectures, queries)


def _pairs(folder: Path) -> Iterator[RetrievalSet]:
    rows = _rows(folder / "pairs.jsonl")
    sides = ("a", "b") if "a" in rows[0] else ("ko", "en")
    for asked, said in (sides, sides[::-1]):
        lectures = tuple(_spoken(row["id"], "", row[said]) for row in rows)
        queries = tuple(Query(row[asked], _in([row["id"]]), whole=True) for row in rows if row.get("same", 1))
        yield RetrievalSet(f"{folder.name} {asked}>{said}", lectures, queries)


def _meetings(folder: Path) -> RetrievalSet:
    turns: dict[str, list[Any]] = {}
    for row in _rows(folder / "turns.jsonl"):
        turns.setdefault(row["meeting"], []).append(row)
    lectures, times = [], {}
    for meeting, said in turns.items():
        clock, sentences = 0.0, []
        for row in said:
            lecture = _spoken(meeting, "", row["text"], clock)
            times[meeting, row["turn"]] = clock
            clock = lecture.sentences[-1].end if lecture.sentences else clock
            times[meeting, row["turn"] + 1] = clock
            sentences += lecture.sentences
        lectures.append(Lecture(meeting, "", tuple(sentences)))
    queries = []
    for row in _rows(folder / "queries.jsonl"):
        meeting = row["meeting"]
        spans = [(times[meeting, first], times[meeting, last + 1]) for first, last in row["gold_turn_spans"]]
        queries.append(Query(row["query"], _within(spans), inside=meeting))
    return RetrievalSet(folder.name, tuple(lectures), tuple(queries))


def _talks(folder: Path, hear: Hear | None) -> Iterator[RetrievalSet]:
    """One set for each kind of question; `gold_fragments` are the sentences that answer."""
    rows = [row for row in _rows(folder / "queries.jsonl") if row["gold_fragments"]]
    talks = {row["talk"] for row in rows}
    files = {path.parent.name: path for path in folder.parent.parent.glob("speech/*/*/*/timeline.jsonl")}
    said = {talk: _rows(files[talk]) for talk in talks if talk in files}
    lectures = tuple(
        Lecture(talk, "", tuple(Sentence(one["text"], one["start_s"], one["end_s"]) for one in fragments))
        for talk, fragments in said.items()
    )
    yield from _asked(folder.name, rows, said, lectures)
    if hear is not None:
        speech = folder.parent.parent
        heard = tuple(
            Lecture(talk, "", hear([speech / one["file"] for one in fragments])) for talk, fragments in said.items()
        )
        yield from _asked(f"{folder.name} heard", rows, said, heard)


def _asked(
    name: str, rows: list[Any], said: dict[str, list[Any]], lectures: tuple[Lecture, ...]
) -> Iterator[RetrievalSet]:
    spans = {
        (talk, one["fragment"]): (one["start_s"], one["end_s"]) for talk, fragments in said.items() for one in fragments
    }
    for style in dict.fromkeys(row["style"] for row in rows):
        queries = []
        for row in (row for row in rows if row["style"] == style and row["talk"] in said):
            right = tuple(spans[row["talk"], fragment] for fragment in row["gold_fragments"])
            queries.append(Query(row["query"], _begins(row["talk"], right), lecture=row["talk"], answers=right))
        yield RetrievalSet(f"{name} {style}", lectures, tuple(queries))


def _in(names: list[str]) -> Callable[[str, Moment], bool]:
    return lambda name, _: name in names


def _within(spans: list[tuple[float, float]]) -> Callable[[str, Moment], bool]:
    return lambda _, moment: any(start <= moment.start < end for start, end in spans)


def _begins(talk: str, answers: tuple[tuple[float, float], ...]) -> Callable[[str, Moment], bool]:
    """The moment begins where a sentence that answers does."""
    return lambda name, moment: name == talk and any(abs(moment.start - one) <= RIGHT_SECOND for one, _ in answers)


def _spoken(name: str, title: str, text: str, clock: float = 0.0) -> Lecture:
    pace = SYLLABLES_A_SECOND if re.search("[가-힣]", text) else LETTERS_A_SECOND
    sentences = []
    for one in filter(None, (part.strip() for part in SENTENCE.split(text))):
        end = clock + len(one) / pace
        sentences.append(Sentence(one, round(clock, 3), round(end, 3)))
        clock = end
    return Lecture(name, title, tuple(sentences))


def _rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
