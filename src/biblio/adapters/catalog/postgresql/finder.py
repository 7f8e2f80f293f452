"""Passages by their words. A small library is looked through as a whole; of a large one, what holds the rarest words.

Whether a word is rare is told by all blocks of a small library, and by a random sample of those of a large one: no
count of words is kept, so none can be wrong.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, and_, select, text

from biblio.adapters.catalog.postgresql.blocks import OWN, keys_of
from biblio.adapters.catalog.postgresql.scoring import Blocks, Floats, Place, rarity_of, saturations_of
from biblio.adapters.catalog.postgresql.tables import videos
from biblio.domain.passages import Passage, passage_id
from biblio.domain.search import EVERYWHERE, Filters, Hit, Scope
from biblio.domain.suggest import INITIALS, letters_of

LAST_LETTER = "\U0010ffff"
"""Sorts behind all others."""

MOST_TERMS = 64
"""Of a question. More of them only cost time."""

WHOLE = 128
"""Blocks that are looked through as a whole; of more, so many are the sample."""

RARE, OF_ONE, KEPT = 800, 400, 100
"""Blocks that all rare words together are expected to lead to, that one of them may, and that are looked through."""

At = tuple[str, int, int]
"""A block's video, generation and number."""

_VISIBLE = "v.id = {0}.video_id AND v.indexed_generation = {0}.generation AND v.status <> 'DELETING'"
_BLOCK = (
    "SELECT b.video_id::text, b.generation, b.number, b.lot, b.before, b.own, b.shown, b.content, v.title_terms, "
    "place.drawn "
    f"FROM place JOIN blocks b USING (video_id, generation, number) JOIN videos v ON {_VISIBLE.format('b')} "
)
_OUTSIDE = "b.video_id <> ALL(CAST(%(without)s AS uuid[]))"
_DRAWN = (
    # Drawn before anything is read of them: a block's content is large. Twice as many, for those that are not visible.
    "WITH drawn AS MATERIALIZED (SELECT * FROM (SELECT b.video_id, b.generation, b.number, b.lot FROM blocks b "
    f"WHERE b.user_id = %(user)s AND {_OUTSIDE} {{}} ORDER BY b.lot LIMIT 2 * %(most)s) b), "
    f"place AS MATERIALIZED (SELECT b.*, (SELECT count(*) FROM drawn) AS drawn FROM drawn b JOIN videos v "
    f"ON {_VISIBLE.format('b')} ORDER BY b.lot LIMIT %(most)s) {_BLOCK} ORDER BY b.lot"
)
_ALL, _INSIDE = _DRAWN.format(""), _DRAWN.format("AND b.video_id = ANY(CAST(%(only)s AS uuid[]))")
_AT = (
    "WITH given AS MATERIALIZED (SELECT * FROM unnest(CAST(%(videos)s AS uuid[]), CAST(%(generations)s AS int[]), "
    "CAST(%(numbers)s AS int[])) AS given(video_id, generation, number)), "
    f"place AS (SELECT *, 0 AS drawn FROM given) {_BLOCK}"
)
_HOLDERS = text(
    "SELECT probe, b.video_id::text, b.generation, b.number FROM unnest(CAST(:probes AS text[])) AS probe, "
    "LATERAL (SELECT * FROM blocks WHERE terms @> CAST(probe AS int[]) AND user_id = :user "
    "AND video_id <> ALL(CAST(:without AS uuid[])) "
    "AND (CAST(:only AS uuid[]) IS NULL OR video_id = ANY(CAST(:only AS uuid[]))) LIMIT :most) b"
)
_TITLED = text(
    f"SELECT b.video_id::text, b.generation, b.number FROM videos v JOIN blocks b ON {_VISIBLE.format('b')} "
    "WHERE v.user_id = :user AND v.title_terms && CAST(:keys AS int[]) AND v.id <> ALL(CAST(:without AS uuid[])) "
    "AND (CAST(:only AS uuid[]) IS NULL OR v.id = ANY(CAST(:only AS uuid[]))) ORDER BY b.number, "
    "(SELECT count(*) FROM unnest(CAST(:keys AS int[])) AS key WHERE key = ANY(v.title_terms)) DESC LIMIT :most"
)
_PLACES = text(
    "SELECT id::text, video_id::text, generation, position FROM passages WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_BY_IDS = text(
    "SELECT p.id::text, p.video_id::text, v.title, v.poster, p.position, p.start_time, p.end_time, p.text "
    f"FROM passages p JOIN videos v ON {_VISIBLE.format('p')} "
    "WHERE p.user_id = :user AND p.id = ANY(CAST(:ids AS uuid[]))"
)
_READING = text(
    "SELECT p.id::text AS first, f.position, f.start_time, f.end_time, f.text FROM passages p JOIN passages f "
    "ON f.video_id = p.video_id AND f.generation = p.generation AND f.position >= p.position "
    "AND f.start_time < p.start_time + :seconds WHERE p.user_id = :user AND p.id = ANY(CAST(:ids AS uuid[])) "
    "ORDER BY f.position"
)
_SUGGEST = {
    by_initials: text(
        f"SELECT w.word FROM words w JOIN videos v ON {_VISIBLE.format('w')} WHERE w.user_id = :user "
        f"AND w.{column} >= :first AND w.{column} < :end GROUP BY w.word "
        "ORDER BY sum(w.said) DESC, length(w.word), w.word LIMIT :most"
    )
    for by_initials, column in ((False, "letters"), (True, "initials"))
}


class PostgresFinder:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_words(
        self, user_id: str, terms: Sequence[str], *, limit: int, scope: Scope = EVERYWHERE, also: Sequence[str] = ()
    ) -> dict[str, float]:
        terms = list(dict.fromkeys(terms))[:MOST_TERMS]
        keys = keys_of(user_id, terms)
        rows = self._scanned(user_id, scope) if keys else []
        if not rows:
            return {}
        places = self._places(also)
        found = Blocks(rows, keys)
        said, passages_, length = found.matrix[found.own].sum(axis=0), float(found.own.sum()), found.usual_length
        if _is_sample(rows):
            many = _estimate(rows)
            said, passages_ = said * many / len(rows), passages_ * many / len(rows)
            holders = self._holders(user_id, keys, said, scope)
            rare = {key: len(where) for (key, *more), where in holders.items() if not more and len(where) < OF_ONE}
            said = np.array([rare.get(key, float(count)) for key, count in zip(keys, said, strict=True)])
            near = [(one.video_id, one.generation, one.position // OWN) for one in places.values()]
            kept = _best(holders, dict(zip(keys, rarity_of(said, passages_), strict=True)))
            rows = self._at({*kept, *near, *self._titled(user_id, keys, scope)})
            if not rows:
                return {}
            found = Blocks(rows, keys)
        scores = found.scores(rarity_of(said, passages_), saturations_of(terms), length)
        return _told(found, scores, places, limit)

    def by_ids(self, user_id: str, ids: Sequence[str]) -> dict[str, Hit]:
        rows = self._connection.execute(_BY_IDS, {"user": user_id, "ids": list(ids)}) if ids else ()
        return {row.id: Hit(row.id, row.video_id, row.title, _passage(row), poster=row.poster) for row in rows}

    def reading(self, user_id: str, ids: Sequence[str], *, seconds: float) -> dict[str, list[Passage]]:
        rows = (
            self._connection.execute(_READING, {"user": user_id, "ids": list(ids), "seconds": seconds}) if ids else ()
        )
        read: dict[str, list[Passage]] = defaultdict(list)
        for row in rows:
            read[row.first].append(_passage(row))
        return dict(read)

    def suggest(self, user_id: str, typed: str, *, limit: int) -> list[str]:
        letters = letters_of(typed)
        if not letters:
            return []
        by_initials = all(letter in INITIALS for letter in letters)
        arguments = {"user": user_id, "first": letters, "end": letters + LAST_LETTER, "most": limit}
        return list(self._connection.scalars(_SUGGEST[by_initials], arguments))

    def where(self, user_id: str, filters: Filters) -> tuple[str, ...]:
        shown = and_(videos.c.indexed_generation.is_not(None), videos.c.status != "DELETING")
        own = and_(videos.c.user_id == user_id, shown)
        tests = (
            (filters.language, lambda value: videos.c.language == value),
            (filters.since, lambda value: videos.c.created_at >= value),
            (filters.until, lambda value: videos.c.created_at < value),
            (filters.shortest, lambda value: videos.c.duration >= value),
            (filters.longest, lambda value: videos.c.duration <= value),
            (filters.title, lambda value: videos.c.title.icontains(value, autoescape=True)),
        )
        chosen = [test(value) for value, test in tests if value is not None]
        return tuple(self._connection.scalars(select(videos.c.id).where(own, *chosen)))

    def _holders(self, user_id: str, keys: Sequence[int], said: Floats, scope: Scope) -> dict[tuple[int, ...], set[At]]:
        """Blocks that hold each of the rarest keys, and those that hold all keys at once.

        Where the rarest lead nowhere, the others too, and the rarest pair of them.
        """
        ordered = [key for _, key in sorted(zip(said, keys, strict=True))]
        rarest = _rarest(ordered, sorted(said))
        found = self._probed(user_id, [*((key,) for key in rarest), tuple(ordered)], scope)
        rest = ordered[len(rarest) :]
        if rest and len(set().union(*found.values())) < KEPT:
            found |= self._probed(user_id, [*((key,) for key in rest), tuple(rest[:2])], scope)
        return found

    def _probed(self, user_id: str, probes: Sequence[tuple[int, ...]], scope: Scope) -> dict[tuple[int, ...], set[At]]:
        named = {"{" + ",".join(map(str, probe)) + "}": probe for probe in probes}
        arguments = {"probes": list(named), "user": user_id, "most": OF_ONE, **_limits(scope)}
        found: dict[tuple[int, ...], set[At]] = {probe: set() for probe in probes}
        for name, *place in self._connection.execute(_HOLDERS, arguments):
            found[named[name]].add((place[0], place[1], place[2]))
        return found

    def _titled(self, user_id: str, keys: Sequence[int], scope: Scope) -> list[At]:
        """Beginnings of the videos whose titles say something of it."""
        arguments = {"user": user_id, "keys": list(keys), "most": KEPT // 2, **_limits(scope)}
        return [(row[0], row[1], row[2]) for row in self._connection.execute(_TITLED, arguments)]

    def _places(self, ids: Sequence[str]) -> dict[str, Place]:
        rows = self._connection.execute(_PLACES, {"ids": list(ids)}) if ids else ()
        return {row.id: Place(row.video_id, row.generation, row.position) for row in rows}

    def _scanned(self, user_id: str, scope: Scope) -> Sequence[Any]:
        """All blocks, or a random sample of them (`_is_sample`)."""
        query = _ALL if scope.only is None else _INSIDE
        arguments = {"user": user_id, "without": list(scope.without), "most": WHOLE + 1}
        only = {} if scope.only is None else {"only": list(scope.only)}
        return self._read(query, {**arguments, **only})

    def _at(self, places: set[At]) -> Sequence[Any]:
        videos, generations, numbers = zip(*places, strict=True) if places else ((), (), ())
        arguments = {"videos": list(videos), "generations": list(generations), "numbers": list(numbers)}
        return self._read(_AT, arguments)

    def _read(self, query: str, arguments: dict[str, Any]) -> Sequence[Any]:
        """As bytes are: SQLAlchemy would have them written out as text, of twice the length."""
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor(binary=True, row_factory=namedtuple_row) as cursor:
            return cursor.execute(query, arguments).fetchall()


def _passage(row: Any) -> Passage:
    return Passage(row.position, row.start_time, row.end_time, row.text)


def _is_sample(rows: Sequence[Any]) -> bool:
    return len(rows) > WHOLE or rows[0].drawn > 2 * WHOLE


def _estimate(rows: Sequence[Any]) -> float:
    """How many blocks there are, when these are the ones with the smallest lots."""
    largest: int = rows[-1].lot
    return (len(rows) - 1) * 2**32 / (largest + 2**31 + 1)


def _limits(scope: Scope) -> dict[str, list[str] | None]:
    return {"only": None if scope.only is None else list(scope.only), "without": list(scope.without)}


def _rarest(ordered: Sequence[int], said: Sequence[float]) -> list[int]:
    """As many as are expected to lead to RARE blocks; one at least."""
    expected = np.cumsum([max(float(count), 1.0) for count in said])
    return [key for total, key in zip(expected, ordered, strict=True) if total <= RARE] or [ordered[0]]


def _best(holders: Mapping[tuple[int, ...], set[At]], rarity: Mapping[int, float]) -> list[At]:
    held: dict[At, set[int]] = defaultdict(set)
    for probe, places in holders.items():
        for place in places:
            held[place].update(probe)
    points = {place: sum(rarity[key] for key in keys) for place, keys in held.items()}
    return sorted(points, key=lambda place: (-points[place], place))[:KEPT]


def _told(found: Blocks, scores: Floats, places: dict[str, Place], limit: int) -> dict[str, float]:
    scores = np.where(found.own, scores, 0.0)
    best = np.argsort(-scores, kind="stable")[:limit]
    told = {}
    for number in best[scores[best] > 0]:
        place = found.place(int(number))
        told[passage_id(place.video_id, place.generation, place.position)] = float(scores[number])
    for one, place in places.items():
        passage = found.passage(place)
        if passage is not None:
            told[one] = float(scores[passage])
    return told
