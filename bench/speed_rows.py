"""Rows of biblio's tables as COPY takes them in binary form."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from biblio.adapters.catalog.postgresql import blocks
from biblio.domain.passages import Passage
from biblio.domain.video import Video

Row = tuple[Any, ...]

VIDEOS = (
    "id uuid, user_id text, title text, title_terms bytea, file_name text, file_size int8, mime_type text, key text, "
    "status text, duration float8, language text, script text, indexed_generation int4"
)
PASSAGES = "id uuid, video_id uuid, user_id text, generation int4, position int4, start_time float8, end_time float8"
PASSAGES += ", text text"
BLOCKS = (
    "video_id uuid, generation int4, number int4, user_id text, lot int4, before int2, own int2, shown int2, "
    "content bytea, terms bytea"
)
VECTORS = "space text, id uuid, user_id text, video_id uuid, generation int4, metadata jsonb, values bytea"
"""Columns and how they travel; arrays and vectors are packed here."""


def is_korean(text: str) -> bool:
    return re.search("[가-힣]", text) is not None


def video_row(video: Video, passages: Sequence[Passage]) -> Row:
    terms = packed(blocks.title_keys(video.user_id, video.title))
    file = (video.file_name, video.file_size, video.mime_type, video.key, str(video.status))
    language = "ko" if is_korean(video.title) else "en"
    said = (passages[-1].end, language, " ".join(one.text for one in passages), 1)
    return (UUID(video.id), video.user_id, video.title, terms, *file, *said)


def packed(values: Sequence[int]) -> bytes:
    """int4[] as PostgreSQL takes it (dimensions, NULLs, its type's number, how many, the first one's index, then each
    with its length): psycopg would make a small object of every number."""
    elements = np.empty((len(values), 2), ">i4")
    elements[:, 0], elements[:, 1] = 4, values
    return np.array([1, 0, 23, len(values), 1], ">i4").tobytes() + elements.tobytes()


def memoised_blocks() -> Callable[[str, Sequence[Passage]], Iterator[blocks.Block]]:
    """`blocks_of`, which hashes a term once for each user, not for each time it is said."""
    plain, known = blocks.keys_of, defaultdict[str, dict[str, int]](dict)

    def keys_of(user_id: str, terms: Sequence[str]) -> list[int]:
        mine = known[user_id]
        new = [term for term in terms if term not in mine]
        mine.update(zip(new, plain(user_id, new), strict=True))
        return [mine[term] for term in terms]

    def blocks_of(user_id: str, passages: Sequence[Passage]) -> Iterator[blocks.Block]:
        blocks.keys_of = keys_of
        try:
            yield from blocks.blocks_of(user_id, passages)
        finally:
            blocks.keys_of = plain

    return blocks_of
