"""Searchable text, in generations. Bulk rows go in through one multi-row statement of arrays."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, cast, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import TSQUERY

from biblio.adapters.catalog.postgresql.tables import passages, segments, videos
from biblio.domain.search import Hit, is_open, terms_of
from biblio.domain.transcript import Sentence, Transcript
from biblio.domain.video import Video
from biblio.ports.passages import IndexedPassage

MOST_TERMS = 64
"""Of a question. More of them only cost time."""

MOST_TERMS_OF_PASSAGE, LONGEST_TERM = 5_000, 40
"""No speaker says more in a passage, or a longer word. A text search vector holds 1 MiB, and a word in it 2 KiB."""

_SEGMENTS = text(
    "INSERT INTO segments (video_id, generation, position, start_time, end_time, text) "
    "SELECT :video, :generation, * FROM unnest(CAST(:positions AS int[]), CAST(:starts AS float8[]), "
    "CAST(:ends AS float8[]), CAST(:texts AS text[]))"
)
_PASSAGES = text(
    "INSERT INTO passages (video_id, user_id, generation, id, position, start_time, end_time, sentences, terms) "
    "SELECT :video, :user, :generation, i, p, s, e, CAST(j AS jsonb), CAST(t AS tsvector) "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS int[]), CAST(:starts AS float8[]), "
    "CAST(:ends AS float8[]), CAST(:sentences AS text[]), CAST(:terms AS text[])) AS row(i, p, s, e, j, t)"
)

_VISIBLE = and_(
    videos.c.id == passages.c.video_id,
    videos.c.indexed_generation == passages.c.generation,
    videos.c.status != "DELETING",
)
_HIT = (
    passages.c.id,
    passages.c.video_id,
    videos.c.title,
    passages.c.start_time,
    passages.c.end_time,
    passages.c.sentences,
)


class PostgresPassages:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, video: Video, transcript: Transcript, rows: Sequence[IndexedPassage]) -> None:
        self.remove(video.id, generation=video.generation)
        place = {"video": video.id, "generation": video.generation}
        said = transcript.sentences
        self._connection.execute(
            _SEGMENTS.bindparams(bindparam("video", type_=videos.c.id.type)),
            {
                **place,
                "positions": list(range(len(said))),
                "starts": [float(sentence.start) for sentence in said],
                "ends": [float(sentence.end) for sentence in said],
                "texts": [sentence.text for sentence in said],
            },
        )
        self._connection.execute(
            _PASSAGES.bindparams(bindparam("video", type_=videos.c.id.type)),
            {
                **place,
                "user": video.user_id,
                "ids": [row.id for row in rows],
                "positions": [row.passage.position for row in rows],
                "starts": [float(row.passage.start) for row in rows],
                "ends": [float(row.passage.end) for row in rows],
                "sentences": [_sentences_json(row.passage.sentences) for row in rows],
                "terms": [_tsvector(terms_of(row.passage.text)) for row in rows],
            },
        )

    def switch(self, video: Video, transcript: Transcript) -> None:
        self._connection.execute(
            update(videos)
            .where(videos.c.id == video.id)
            .values(
                indexed_generation=video.generation,
                script=transcript.text,
                language=transcript.language or None,
                duration=transcript.duration,
                meta_info=video.meta_info,
            )
        )

    def remove(self, video_id: str, *, generation: int) -> None:
        for table in (segments, passages):
            mine = and_(table.c.video_id == video_id, table.c.generation == generation)
            self._connection.execute(delete(table).where(mine))

    def by_terms(
        self, user_id: str, terms: Sequence[str], *, limit: int, video_ids: Sequence[str] | None = None
    ) -> list[Hit]:
        wanted = [term for term in dict.fromkeys(terms) if term][:MOST_TERMS]
        if not wanted:
            return []
        question = cast(literal(" | ".join(_pattern(term) for term in wanted)), TSQUERY)
        query = (
            select(*_HIT)
            .join(videos, _VISIBLE)
            .where(passages.c.user_id == user_id, passages.c.terms.op("@@")(question))
            .order_by(func.ts_rank(passages.c.terms, question, 1).desc(), passages.c.id)
            .limit(limit)
        )
        if video_ids is not None:
            query = query.where(passages.c.video_id.in_(list(video_ids)))
        return [_hit(row) for row in self._connection.execute(query)]

    def by_ids(self, user_id: str, ids: Sequence[str]) -> dict[str, Hit]:
        query = select(*_HIT).join(videos, _VISIBLE)
        mine = and_(passages.c.user_id == user_id, passages.c.id.in_(list(ids)))
        return {row.id: _hit(row) for row in self._connection.execute(query.where(mine))}

    def ids(self, video_id: str) -> dict[int, list[str]]:
        query = select(passages.c.generation, passages.c.id).where(passages.c.video_id == video_id)
        found: dict[int, list[str]] = {}
        for generation, passage_id in self._connection.execute(query.order_by(passages.c.position)):
            found.setdefault(generation, []).append(passage_id)
        return found


def _hit(row: Any) -> Hit:
    sentences = tuple(Sentence(*sentence) for sentence in row.sentences)
    return Hit(row.video_id, row.title, row.start_time, row.end_time, sentences)


def _sentences_json(sentences: Iterable[Sentence]) -> str:
    return json.dumps([[s.text, s.start, s.end] for s in sentences], ensure_ascii=False)


def _pattern(term: str) -> str:
    return _lexeme(term) + (":*" if is_open(term) else "")


def _lexeme(term: str) -> str:
    escaped = term[:LONGEST_TERM].replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _tsvector(terms: Sequence[str]) -> str:
    """A text search vector written out, so that PostgreSQL's own parser (blind to Korean) has no say in it."""
    return " ".join(f"{_lexeme(term)}:{place}" for place, term in enumerate(terms[:MOST_TERMS_OF_PASSAGE], 1))
