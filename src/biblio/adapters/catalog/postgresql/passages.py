"""Searchable text, in generations. Bulk rows go in through one multi-row statement of arrays."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, delete, select, text, update

from biblio.adapters.catalog.postgresql.blocks import name_blocks, write_blocks
from biblio.adapters.catalog.postgresql.tables import blocks, passages, videos, words
from biblio.domain.passages import Passage
from biblio.domain.suggest import initials_of, letters_of, vocabulary
from biblio.domain.transcript import Transcript, rows_of
from biblio.domain.video import Video
from biblio.ports.passages import IndexedPassage

_PASSAGES = text(
    "INSERT INTO passages (video_id, user_id, generation, id, position, start_time, end_time, text, words) "
    "SELECT :video, :user, :generation, * FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS int[]), "
    "CAST(:starts AS float8[]), CAST(:ends AS float8[]), CAST(:texts AS text[]), CAST(:words AS jsonb[]))"
).bindparams(bindparam("video", type_=videos.c.id.type))
_WORDS = text(
    "INSERT INTO words (video_id, user_id, generation, word, said, letters, initials) "
    "SELECT :video, :user, :generation, * FROM unnest(CAST(:words AS text[]), CAST(:said AS int[]), "
    "CAST(:letters AS text[]), CAST(:initials AS text[]))"
).bindparams(bindparam("video", type_=videos.c.id.type))


class PostgresPassages:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, video: Video, rows: Sequence[IndexedPassage]) -> None:
        self.remove(video.id, generation=video.generation)
        said = [row.passage for row in rows]
        self._connection.execute(
            _PASSAGES,
            {
                "video": video.id,
                "user": video.user_id,
                "generation": video.generation,
                "ids": [row.id for row in rows],
                "positions": [one.position for one in said],
                "starts": [float(one.start) for one in said],
                "ends": [float(one.end) for one in said],
                "texts": [one.text for one in said],
                "words": [json.dumps(rows_of(one.words), ensure_ascii=False) for one in said],
            },
        )
        write_blocks(self._connection, video, said)
        self._write_words(video, said)

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
        name_blocks(self._connection, video.id)

    def remove(self, video_id: str, *, generation: int) -> None:
        for table in (passages, blocks, words):
            mine = and_(table.c.video_id == video_id, table.c.generation == generation)
            self._connection.execute(delete(table).where(mine))

    def _write_words(self, video: Video, said: Sequence[Passage]) -> None:
        found = vocabulary([video.title, *(one.text for one in said)])
        self._connection.execute(
            _WORDS,
            {
                "video": video.id,
                "user": video.user_id,
                "generation": video.generation,
                "words": [word for word, _ in found],
                "said": [count for _, count in found],
                "letters": [letters_of(word) for word, _ in found],
                "initials": [initials_of(word) for word, _ in found],
            },
        )

    def ids(self, video_id: str) -> dict[int, list[str]]:
        # Where nothing is said there are words all the same: those of the title.
        named = select(words.c.generation).where(words.c.video_id == video_id).distinct()
        found: dict[int, list[str]] = {generation: [] for generation in self._connection.scalars(named)}
        query = select(passages.c.generation, passages.c.id).where(passages.c.video_id == video_id)
        for generation, passage_id in self._connection.execute(query.order_by(passages.c.position)):
            found.setdefault(generation, []).append(passage_id)
        return found
