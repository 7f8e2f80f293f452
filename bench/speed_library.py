"""A library of any size in no time: lectures made of sentences that were embedded once, copied straight into tables.

What biblio would write is written (passages, blocks, vectors; biblio's own functions make them), only in bulk, and the
two costly indexes are built afterwards, as anyone who moves a large library would do.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from library import add_user, video_of
from numpy.typing import NDArray
from retrieval import LETTERS_A_SECOND, SYLLABLES_A_SECOND, retrieval_sets
from speed_rows import BLOCKS, PASSAGES, VECTORS, VIDEOS, Row, is_korean, memoised_blocks, packed, video_row

from biblio.adapters.catalog.postgresql import blocks
from biblio.domain.passages import AROUND, Passage, passage_id
from biblio.domain.video import Video
from biblio.local import postgres
from biblio.pipeline.services import Services
from biblio.ports.embedder import Embedder
from biblio.ports.vectors import Owner, VectorRecord
from biblio.settings import Settings

Matrix = NDArray[np.float32]

NEAR = 200
"""Sentences around one of the base among which a lecture stays: it has a subject."""
RUNS = 4
"""Stretches of such sentences that a lecture is made of."""
AT_ONCE = 100  # videos of one transaction
BEYOND_EXACT = 12_000
"""Vectors of a user who is just too large to be compared one by one: the hardest case of a filtered index."""


@dataclass(frozen=True)
class Base:
    """Sentences and their vectors; the first `korean` ones are Korean. Neighbours belong together."""

    texts: list[str]
    vectors: Matrix
    korean: int
    questions: list[str]


@dataclass
class Library:
    """What was filled in. `kinds`: user numbers by kind of user; `owner` and `ids` by passage, as `vectors`."""

    users: list[str]
    sizes: list[int]
    kinds: dict[str, list[int]]
    vectors: Matrix
    owner: NDArray[np.int32]
    ids: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)


def base_of(embedder: Embedder, folder: Path, most: int, seed: int) -> Base:
    """All Korean sentences and as many English ones as there is room for, in the order in which they were said."""
    chance = np.random.default_rng(seed)
    sets = list(retrieval_sets(folder))
    lectures = [[one.text for one in lecture.sentences] for each in sets for lecture in each.lectures]
    chance.shuffle(lectures)
    said = dict.fromkeys(text for lecture in lectures for text in lecture)
    korean = [text for text in said if is_korean(text)][: most // 2]
    texts = korean + [text for text in said if not is_korean(text)][: most - len(korean)]
    vectors = np.zeros((len(texts), embedder.dimension), np.float32)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for first in range(0, len(order), 256):
        part = order[first : first + 256]
        vectors[part] = embedder.embed_documents([texts[number] for number in part])
    asked = list(dict.fromkeys(query.text for each in sets for query in each.queries))
    chance.shuffle(asked)
    return Base(texts, vectors, len(korean), asked)


def kinds_of(passages: int, users: int) -> list[tuple[str, int]]:
    """How many passages each user has: a filter by user is hard in another way for each of these sizes."""
    kinds = [("half", passages // 2), ("tenth", passages // 10), ("hundredth", passages // 100), ("hundred", 100)]
    kinds += [("beyond", BEYOND_EXACT)] * (passages >= 8 * BEYOND_EXACT)
    kinds += [("thousand", 1_000)] * min(3, users // 10)
    left, others = passages - sum(size for _, size in kinds), users - len(kinds)
    return kinds + [("others", left // others + (number < left % others)) for number in range(others)]


def with_memory(shared_buffers: str) -> None:
    """Engines started from here on are a server's, not a laptop's."""
    postgres.SETTINGS = {**postgres.SETTINGS, "shared_buffers": shared_buffers, "max_wal_size": "16GB"}


def fill(
    settings: Settings, services: Services, base: Base, kinds: Sequence[tuple[str, int]], length: int, seed: int
) -> Library:
    chance = np.random.default_rng(seed)
    began = time.monotonic()
    users = [add_user(services, kind) for kind, _ in kinds]
    names, sizes = [kind for kind, _ in kinds], [size for _, size in kinds]
    numbers = {kind: [number for number, name in enumerate(names) if name == kind] for kind in dict.fromkeys(names)}
    vectors = np.zeros((sum(sizes), base.vectors.shape[1]), np.float32)
    library = Library(users, sizes, numbers, vectors, np.zeros(sum(sizes), np.int32))
    videos = [(user, part) for user, (_, size) in enumerate(kinds) for part in _parts(size, length)]
    chance.shuffle(videos)  # users come and go: nobody's rows lie together
    with _connection(settings) as connection:
        loader = _Loader(services, connection, library, base)
        with _without_indexes(connection, loader.table, library.figures):
            for first in range(0, len(videos), AT_ONCE):
                loader.add(videos[first : first + AT_ONCE], chance)
            library.figures["load_seconds"] = round(time.monotonic() - began, 1)
    library.figures |= {"passages": sum(sizes), "videos": len(videos), "users": len(users)}
    return library


def _parts(size: int, length: int) -> list[int]:
    """Lengths of videos, about equal."""
    count = max(1, round(size / length))
    return [size // count + (number < size % count) for number in range(count)]


class _Loader:
    def __init__(self, services: Services, connection: "psycopg.Connection[Any]", library: Library, base: Base) -> None:
        # Its table and rows have no public name, and a second version of them here could differ.
        self._store: Any = services.vectors
        self.table = self._store._table
        self._connection = connection
        self._library = library
        self._base = base
        self._blocks_of = memoised_blocks()

    def add(self, videos: Sequence[tuple[int, int]], chance: np.random.Generator) -> None:
        made = []
        for user, length in videos:
            passages, vectors = lecture(self._base, int(length), chance)
            number = len(self._library.ids)
            video = video_of(self._library.users[user], f"{number}", passages[0].text[:40])
            ids = [passage_id(video.id, 1, one.position) for one in passages]
            self._library.vectors[number : number + len(ids)] = vectors
            self._library.owner[number : number + len(ids)] = user
            self._library.ids += ids
            made.append((video, passages, ids, vectors))
        with self._connection.transaction():
            self._copy("videos", VIDEOS, (video_row(video, said) for video, said, *_ in made))
            self._copy("passages", PASSAGES, (row for one in made for row in self._passage_rows(*one)))
            self._copy("blocks", BLOCKS, (row for video, said, *_ in made for row in self._block_rows(video, said)))
            self._copy(self.table, VECTORS, (row for one in made for row in self._vector_rows(*one)))

    def _copy(self, table: str, columns: str, rows: Iterator[Row]) -> None:
        names, types = zip(*(column.split() for column in columns.split(", ")), strict=True)
        command = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
        with self._connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _block_rows(self, video: Video, passages: Sequence[Passage]) -> Iterator[Row]:
        for one in self._blocks_of(video.user_id, passages):
            place = (
                UUID(video.id),
                1,
                one.number,
                video.user_id,
                blocks.lot_of(video.id, 1, one.number),
                one.before,
                one.own,
            )
            title = blocks.title_keys(video.user_id, video.title) if one.number == 0 else []
            yield (*place, one.shown, one.content, packed(sorted({*one.terms, *title})))

    @staticmethod
    def _passage_rows(video: Video, said: Sequence[Passage], ids: Sequence[str], _: Matrix) -> Iterator[Row]:
        for name, one in zip(ids, said, strict=True):
            yield (UUID(name), UUID(video.id), video.user_id, 1, one.position, one.start, one.end, one.text)

    def _vector_rows(self, video: Video, said: Sequence[Passage], ids: Sequence[str], rows: Matrix) -> Iterator[Row]:
        owner = Owner(video.user_id, video.id, 1)
        for name, one, values in zip(ids, said, rows, strict=True):
            yield self._store._row(owner, VectorRecord(name, values, one.start, one.end, one.text))


def lecture(base: Base, length: int, chance: np.random.Generator) -> tuple[list[Passage], Matrix]:
    """Passages of two sentences each, of stretches that lie near each other, and their vectors in context."""
    low, high = (0, base.korean) if chance.random() < base.korean / len(base.texts) else (base.korean, len(base.texts))
    middle = chance.integers(low, high)
    starts = chance.integers(max(low, middle - NEAR), min(high, middle + NEAR), RUNS)
    run = np.concatenate([np.arange(start, start + -(-length // RUNS)) for start in starts])[:length]
    firsts = low + (run - low) % (high - low)
    seconds = firsts[chance.integers(0, length, length)]
    texts = [f"{base.texts[first]} {base.texts[second]}" for first, second in zip(firsts, seconds, strict=True)]
    letters = np.array([len(text) for text in texts])
    ends = np.cumsum(letters / (SYLLABLES_A_SECOND if low == 0 else LETTERS_A_SECOND)).round(3)
    begins = np.concatenate([[0.0], ends[:-1]])
    said = _unit(base.vectors[firsts] + base.vectors[seconds])
    spans = zip(begins.tolist(), ends.tolist(), texts, strict=True)
    return [Passage(number, *one) for number, one in enumerate(spans)], _in_context(said, letters, begins, ends)


def _in_context(
    said: Matrix, letters: NDArray[np.int64], begins: NDArray[np.float64], ends: NDArray[np.float64]
) -> Matrix:
    """`biblio.domain.passages.in_context`, of all passages at once."""
    sums = np.vstack([np.zeros(said.shape[1]), np.cumsum(said * letters[:, None], axis=0, dtype=np.float64)])
    first = np.searchsorted(begins, begins - AROUND - 1e-9)
    end = np.searchsorted(ends, ends + AROUND + 1e-9, side="right")
    return _unit(said + _unit(sums[end] - sums[first])).astype(np.float32)


def _unit(rows: NDArray[Any]) -> NDArray[Any]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@contextmanager
def _connection(settings: Settings) -> "Iterator[psycopg.Connection[Any]]":
    assert settings.database is not None
    address = settings.database.text().replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT set_config('biblio.user', '*', false), set_config('synchronous_commit', 'off', false)"
        )
        yield connection


@contextmanager
def _without_indexes(connection: "psycopg.Connection[Any]", vectors: str, figures: dict[str, object]) -> Iterator[None]:
    """Takes the two costly indexes away and builds them again. COPY goes into no table that is guarded by rows."""
    guarded, made = ("videos", "passages", vectors), {}
    slow = {"hnsw": f"{vectors}_near", "gin": "blocks_by_term"}
    for name, index in slow.items():
        made[name] = connection.execute("SELECT pg_get_indexdef(%s::regclass)", [index]).fetchone()
        connection.execute(f"DROP INDEX {index}")
    for table in guarded:
        connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in guarded:
        connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    # One worker and the leader: two cores.
    connection.execute("SET maintenance_work_mem = '3GB'; SET max_parallel_maintenance_workers = 1")
    for name in slow:
        began = time.monotonic()
        connection.execute(made[name][0].replace(" ON ONLY ", " ON "))  # and on all parts
        figures[f"{name}_build_seconds"] = round(time.monotonic() - began, 1)
    connection.execute("VACUUM (ANALYZE)")
    parts = "(SELECT sum({}(relid)) FROM pg_partition_tree('{}'))"
    sizes = {"hnsw": parts.format("pg_relation_size", slow["hnsw"]), "gin": f"pg_relation_size('{slow['gin']}')"}
    sizes |= {table: f"pg_total_relation_size('{table}')" for table in ("passages", "blocks")}
    sizes |= {"vectors_table": parts.format("pg_table_size", vectors)}
    sizes |= {"database": "pg_database_size(current_database())"}
    for name, size in sizes.items():
        row = connection.execute(f"SELECT {size}").fetchone()
        figures[f"{name}_mib"] = round(float(row[0]) / 1024**2, 1) if row else None
