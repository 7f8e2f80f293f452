"""Passages by their words. A small library is looked through as a whole; of a large one, what holds the rarest words.

Whether a word is rare is told by all blocks of a small library, and by a random sample of those of a large one: no
count of words is kept, so none can be wrong.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, and_, select, text

from biblio.adapters.catalog.postgresql.blocks import OWN, keys_of, lot_of
from biblio.adapters.catalog.postgresql.scoring import Blocks, Floats, Place, rarity_of, saturations_of
from biblio.adapters.catalog.postgresql.tables import videos
from biblio.domain.passages import Passage, passage_id
from biblio.domain.search import EVERYWHERE, Filters, Hit, Scope
from biblio.domain.suggest import INITIALS, letters_of

LAST_LETTER = "\U0010ffff"
"""Sorts behind all others."""

MOST_TERMS = 64
"""Of a question. More of them only cost time."""

WHOLE, SAMPLE = 128, 64
"""Blocks that are looked through as a whole; and, of more, how many are the sample."""

RARE, OF_ONE, KEPT = 800, 400, 100
"""Blocks that all rare words together are expected to lead to, that one of them may, and that are looked through."""

Holders = dict[tuple[int, ...], list[int]]
"""Lots of the blocks that hold some keys at once."""

_VISIBLE = "v.id = {0}.video_id AND v.indexed_generation = {0}.generation AND v.status <> 'DELETING'"
_BLOCK = "b.video_id::text, b.generation, b.number, b.lot, b.before, b.own, b.shown, b.content, v.title_terms"
_IN_SCOPE = "b.video_id <> ALL(CAST(%(without)s AS uuid[])) /* only */"
# Only where a question asks for it: a plan for either way is a poor one.
_ONLY = "AND b.video_id = ANY(CAST(%(only)s AS uuid[]))"
_SCANNED = (
    # Drawn before anything is read of them: a block's content is large.
    "WITH drawn AS MATERIALIZED (SELECT * FROM (SELECT b.video_id, b.generation, b.number, b.lot FROM blocks b "
    f"WHERE b.user_id = %(user)s AND {_IN_SCOPE} ORDER BY b.lot LIMIT %(draw)s) b), "
    "shown AS MATERIALIZED (SELECT b.*, (SELECT count(*) FROM drawn) AS drawn FROM drawn b JOIN videos v "
    f"ON {_VISIBLE.format('b')} ORDER BY b.lot LIMIT %(whole)s + 1), "
    "place AS (SELECT *, count(*) OVER () AS many, max(lot) OVER () AS last, row_number() OVER (ORDER BY lot) AS turn "
    f"FROM shown) SELECT {_BLOCK}, place.drawn, place.many, place.last "
    f"FROM place JOIN blocks b USING (video_id, generation, number) JOIN videos v ON {_VISIBLE.format('b')} "
    "WHERE place.many <= %(whole)s OR place.turn <= %(sample)s"
)
_AT = (
    f"SELECT {_BLOCK} FROM blocks b JOIN videos v ON {_VISIBLE.format('b')} "
    f"WHERE b.user_id = %(user)s AND b.lot = ANY(%(lots)s) AND {_IN_SCOPE}"
)
_HOLDERS = (
    "SELECT ARRAY(SELECT b.lot FROM blocks b WHERE b.terms @> CAST(probe.keys AS int[]) AND b.user_id = %(user)s "
    f"AND {_IN_SCOPE} LIMIT %(most)s) AS lots "
    "FROM unnest(CAST(%(probes)s AS text[])) WITH ORDINALITY AS probe(keys, turn) ORDER BY probe.turn"
)
_PLACES = "SELECT id::text, video_id::text, generation, position FROM passages WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_BY_IDS = (
    "SELECT p.id::text, p.video_id::text, v.title, v.poster, p.position, p.start_time, p.end_time, p.text "
    f"FROM passages p JOIN videos v ON {_VISIBLE.format('p')} "
    "WHERE p.user_id = %(user)s AND p.id = ANY(CAST(%(ids)s AS uuid[]))"
)
_READING = (
    "SELECT p.id::text AS first, f.position, f.start_time, f.end_time, f.text FROM passages p JOIN passages f "
    "ON f.video_id = p.video_id AND f.generation = p.generation AND f.position >= p.position "
    "AND f.start_time < p.start_time + %(seconds)s WHERE p.user_id = %(user)s "
    "AND p.id = ANY(CAST(%(ids)s AS uuid[])) ORDER BY f.position"
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
        if rows[0].many > WHOLE:
            share = len(rows) / _estimate(rows[0])
            holders = self._holders(user_id, keys, said / share, scope)
            said, passages_ = _corrected(said / share, holders, keys), passages_ / share
            near = {lot_of(one.video_id, one.generation, one.position // OWN) for one in places.values()}
            rows = self._at(user_id, [*near, *_best(holders, keys, rarity_of(said, passages_))], scope)
            if not rows:
                return {}
            found = Blocks(rows, keys)
        scores = found.scores(rarity_of(said, passages_), saturations_of(terms), length)
        return _told(found, scores, places, limit)

    def by_ids(self, user_id: str, ids: Sequence[str]) -> dict[str, Hit]:
        rows = self._read(_BY_IDS, {"user": user_id, "ids": list(ids)}) if ids else ()
        return {row.id: Hit(row.id, row.video_id, row.title, _passage(row), poster=row.poster) for row in rows}

    def reading(self, user_id: str, ids: Sequence[str], *, seconds: float) -> dict[str, list[Passage]]:
        rows = self._read(_READING, {"user": user_id, "ids": list(ids), "seconds": seconds}) if ids else ()
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

    def _holders(self, user_id: str, keys: Sequence[int], said: Floats, scope: Scope) -> Holders:
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

    def _probed(self, user_id: str, probes: Sequence[tuple[int, ...]], scope: Scope) -> Holders:
        named = ["{" + ",".join(map(str, probe)) + "}" for probe in probes]
        arguments = {"probes": named, "user": user_id, "most": OF_ONE, **_limits(scope)}
        # Planned each time for these very words: a plan for any words takes ten times as long.
        rows = self._read(_HOLDERS, arguments, prepare=False)
        return {probe: row.lots for probe, row in zip(probes, rows, strict=True)}

    def _places(self, ids: Sequence[str]) -> dict[str, Place]:
        rows = self._read(_PLACES, {"ids": list(ids)}) if ids else ()
        return {row.id: Place(row.video_id, row.generation, row.position) for row in rows}

    def _scanned(self, user_id: str, scope: Scope) -> Sequence[Any]:
        """All blocks, or a random sample of them when there are `many`."""
        arguments = {"user": user_id, "whole": WHOLE, "sample": SAMPLE, **_limits(scope)}
        # Twice as many are drawn, for some may not be visible. Where most are not, all are.
        rows = self._read(_SCANNED, {**arguments, "draw": 2 * (WHOLE + 1)})
        if len(rows) <= WHOLE and (not rows or rows[0].many <= WHOLE < rows[0].drawn // 2):
            return self._read(_SCANNED, {**arguments, "draw": None})
        return rows

    def _at(self, user_id: str, lots: Sequence[int], scope: Scope) -> Sequence[Any]:
        return self._read(_AT, {"user": user_id, "lots": [int(lot) for lot in lots], **_limits(scope)})

    def _read(self, query: str, arguments: dict[str, Any], *, prepare: bool | None = None) -> Sequence[Any]:
        """As bytes are: SQLAlchemy would have them written out as text, of twice the length."""
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        if arguments.get("only") is not None:
            query = query.replace("/* only */", _ONLY)
        with driver.cursor(binary=True, row_factory=namedtuple_row) as cursor:
            return cursor.execute(query, arguments, prepare=prepare).fetchall()


def _passage(row: Any) -> Passage:
    return Passage(row.position, row.start_time, row.end_time, row.text)


def _estimate(row: Any) -> float:
    """How many blocks there are, when so `many` have the smallest lots."""
    return float((row.many - 1) * 2**32 / (row.last + 2**31 + 1))


def _corrected(said: Floats, holders: Holders, keys: Sequence[int]) -> Floats:
    """How often a rare key is said was just counted."""
    counted = {probe[0]: len(lots) for probe, lots in holders.items() if len(probe) == 1 and len(lots) < OF_ONE}
    return np.array([counted.get(key, float(count)) for key, count in zip(keys, said, strict=True)])


def _limits(scope: Scope) -> dict[str, list[str] | None]:
    return {"only": None if scope.only is None else list(scope.only), "without": list(scope.without)}


def _rarest(ordered: Sequence[int], said: Sequence[float]) -> list[int]:
    """As many as are expected to lead to RARE blocks; one at least."""
    expected = np.cumsum([max(float(count), 1.0) for count in said])
    return [key for total, key in zip(expected, ordered, strict=True) if total <= RARE] or [ordered[0]]


def _best(holders: Holders, keys: Sequence[int], rarity: Floats) -> list[int]:
    """Lots of the blocks that hold the rarest keys together."""
    columns = {key: column for column, key in enumerate(keys)}
    lots = np.unique(np.concatenate([np.array(one, dtype=np.int32) for one in holders.values()]))
    held = np.zeros((len(lots), len(keys)), dtype=bool)
    for probe, found in holders.items():
        rows = np.searchsorted(lots, found)
        for key in probe:
            held[rows, columns[key]] = True
    best = np.argsort(-(held @ rarity), kind="stable")[:KEPT]
    return [int(lot) for lot in lots[best]]


def _told(found: Blocks, scores: Floats, places: dict[str, Place], limit: int) -> dict[str, float]:
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
