"""Blocks: the terms of some passages in a row and of those just before and after, as numbers, in one row of a table.

A row for each passage would be sixteen times as many rows, and what stands around a passage counts with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

import numpy as np
from sqlalchemy import Connection, bindparam, text

from biblio.adapters.catalog.postgresql.tables import videos
from biblio.domain.passages import Passage
from biblio.domain.video import Video
from biblio.domain.words import held_terms

OWN, MARGIN = 16, 16
"""Passages of a block, and at most so many around them on either side."""

AROUND = 40_000
"""Milliseconds around a passage in which words count with it."""

MOST_TERMS = 5_000
"""Of one passage. No speaker says more in a sentence."""

_INSERT = text(
    "INSERT INTO blocks (video_id, generation, number, user_id, lot, before, own, shown, content, terms) VALUES "
    "(:video, :generation, :number, :user, :lot, :before, :own, :shown, :content, :terms)"
).bindparams(bindparam("video", type_=videos.c.id.type))
_TITLE = text("SELECT user_id, title FROM videos WHERE id = CAST(:video AS uuid)")
_NAME = text("UPDATE videos SET title_terms = :keys WHERE id = CAST(:video AS uuid)")
_FIRST = text("SELECT generation, shown, content FROM blocks WHERE video_id = CAST(:video AS uuid) AND number = 0")
_LEAD = text(
    "UPDATE blocks SET terms = :terms WHERE video_id = CAST(:video AS uuid) AND generation = :generation AND number = 0"
)


@dataclass(frozen=True)
class Block:
    """`before` of the passages that are `shown` stand before its `own` ones. `terms`: each once.

    `content`: where each passage begins (milliseconds), how many terms each has, then all their terms; as numbers of
    32 bits, little end first.
    """

    number: int
    before: int
    own: int
    shown: int
    content: bytes
    terms: list[int]


def keys_of(user_id: str, terms: Sequence[str]) -> list[int]:
    """Each term as a number of 32 bits with a sign, another one for every user.

    So an entry of the index leads to one user's blocks, and nobody can read a text out of them.
    """
    secret = blake2b(user_id.encode(), digest_size=16).digest()
    digests = (blake2b(term.encode(), digest_size=4, key=secret).digest() for term in terms)
    return [int.from_bytes(digest, "big", signed=True) for digest in digests]


def write_blocks(connection: Connection, video: Video, passages: Sequence[Passage]) -> None:
    place = {"video": video.id, "generation": video.generation, "user": video.user_id}
    rows = [
        {**place, "lot": lot_of(video.id, video.generation, block.number), **vars(block)}
        for block in blocks_of(video.user_id, passages)
    ]
    if rows:
        connection.execute(_INSERT, rows)


def blocks_of(user_id: str, passages: Sequence[Passage]) -> Iterator[Block]:
    starts = [round(one.start * 1000) for one in passages]
    keys = [keys_of(user_id, list(dict.fromkeys(held_terms(one.text)))[:MOST_TERMS]) for one in passages]
    for number, first in enumerate(range(0, len(passages), OWN)):
        end = min(first + OWN, len(passages))
        low = next(i for i in range(max(0, first - MARGIN), first + 1) if starts[first] - starts[i] <= AROUND)
        high = next(
            i for i in range(min(len(passages), end + MARGIN), 0, -1) if starts[i - 1] - starts[end - 1] <= AROUND
        )
        shown = keys[low:high]
        content = [*starts[low:high], *map(len, shown), *chain(*shown)]
        yield Block(number, first - low, end - first, high - low, _packed(content), sorted(set(chain(*shown))))


def _packed(numbers: Sequence[int]) -> bytes:
    return np.array(numbers, dtype="<i4").tobytes()


def lot_of(video_id: str, generation: int, number: int) -> int:
    """A random number that is always the same. It is also what a user's block is found by."""
    name = f"{video_id}/{generation}/{number}"
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big", signed=True)


def name_blocks(connection: Connection, video_id: str) -> None:
    """A title is looked for as if it were said in a video's first block."""
    video = connection.execute(_TITLE, {"video": video_id}).one_or_none()
    if video is None:
        return
    keys = title_keys(video.user_id, video.title)
    connection.execute(_NAME, {"video": video_id, "keys": keys})
    for row in connection.execute(_FIRST, {"video": video_id}).all():
        said = np.frombuffer(row.content, dtype="<i4")[2 * row.shown :].tolist()
        place = {"video": video_id, "generation": row.generation}
        connection.execute(_LEAD, {**place, "terms": sorted({*said, *keys})})


def title_keys(user_id: str, title: str) -> list[int]:
    return keys_of(user_id, list(dict.fromkeys(held_terms(title)))[:MOST_TERMS])
