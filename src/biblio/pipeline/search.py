"""A question in, moments out."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from biblio.domain.question import LONGEST, Question, read_question
from biblio.domain.search import (
    EVERYWHERE,
    NO_FILTERS,
    READING,
    Filters,
    Found,
    Hit,
    Mode,
    Scope,
    found_of,
    grouped,
    ranked,
    weighing_of,
)
from biblio.domain.suggest import has_lone_letters
from biblio.errors import InvalidInput
from biblio.pipeline.admission import question_call
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.embedder import Vector

CANDIDATES = 64
"""Passages each kind of search brings in before they are weighed together."""

DEEPER = 4
"""Times as many where most of them may be turned down: for phrases, exclusions, and later pages."""

MOST_SHOWN = 500
"""Videos that one question is answered with, page by page."""


@dataclass(frozen=True)
class Answer:
    """`next` is the cursor of the page after this one; None on the last. `relaxed`: an exact phrase is said nowhere, so
    these are answers to its words."""

    found: tuple[Found, ...]
    next: str | None
    relaxed: bool = False


def search(
    services: Services,
    user_id: str,
    typed: str,
    *,
    limit: int = 10,
    moments: int = 5,
    mode: Mode = Mode.HYBRID,
    scope: Scope = EVERYWHERE,
    filters: Filters = NO_FILTERS,
    cursor: str | None = None,
) -> Answer:
    """At most `limit` videos with `moments` of each. Raises `InvalidInput` for a question or a cursor that is none."""
    question = read_question(_finished(services, user_id, typed))
    shown = _shown(cursor)
    scope = _narrowed(services, user_id, replace(scope, without=(*scope.without, *shown)), filters)
    vector = None if mode is Mode.KEYWORD else _embedded(services, user_id, question.text)
    weighing = weighing_of(question.text)
    # Of one moment: a video may just be switching to another index, and hits of both would be told side by side.
    with services.catalog.transaction(snapshot=True) as tx:
        hits, is_all = _candidates(services, tx, user_id, question, vector, mode, scope)
        exact = [hit for hit in hits if question.is_said_in(hit.passage.text)]
        kept = [hit for hit in exact or hits if not question.excludes(hit.passage.text)]
        videos = grouped(question.text, ranked(kept, mode, weighing), limit + 1, moments)
        places = [hit.id for video in videos[:limit] for hit in video]
        texts = tx.finder.reading(user_id, places, seconds=READING)
    found = tuple(found_of(question.text, video, texts, mode, weighing) for video in videos[:limit])
    more = len(videos) > limit or (bool(found) and not is_all)
    return Answer(
        found, _cursor((*shown, *(one.video_id for one in found))) if more else None, bool(found) and not exact
    )


def _embedded(services: Services, user_id: str, text: str) -> Vector:
    call = question_call(services, user_id)
    return call.until_taken(lambda: services.embedder.embed_question(text, call=call))


def _finished(services: Services, user_id: str, typed: str) -> str:
    """A word that is still being typed becomes the one that would be suggested for it."""
    if not has_lone_letters(typed) or len(typed) > LONGEST:
        return typed
    with services.catalog.transaction() as tx:
        words = [
            next(iter(tx.finder.suggest(user_id, word, limit=1)), word) if has_lone_letters(word) else word
            for word in typed.replace("\x00", " ")[:LONGEST].split()
        ]
    return " ".join(words)


def _narrowed(services: Services, user_id: str, scope: Scope, filters: Filters) -> Scope:
    if filters == NO_FILTERS:
        return scope
    with services.catalog.transaction() as tx:
        chosen = tx.finder.where(user_id, filters)
    kept = chosen if scope.only is None else tuple(one for one in chosen if one in set(scope.only))
    return replace(scope, only=kept)


def _candidates(
    services: Services,
    tx: Transaction,
    user_id: str,
    question: Question,
    vector: Vector | None,
    mode: Mode,
    scope: Scope,
) -> tuple[list[Hit], bool]:
    """Hits with both their numbers, and whether these are all there are."""
    depth = CANDIDATES * (DEEPER if question.is_exact or scope.without else 1)
    by_words_alone = question.phrases and not (question.excluded or scope.without or mode is Mode.SEMANTIC)
    width = CANDIDATES if by_words_alone else depth
    near = services.vectors.search(user_id, vector, limit=width, scope=scope) if vector is not None else []
    meaning = {hit.id: hit.similarity for hit in near}
    words: dict[str, float] = {}
    if mode is not Mode.SEMANTIC:
        words = tx.finder.by_words(user_id, question.terms, limit=depth, scope=scope, also=list(meaning))
    unknown = [one for one in words if one not in meaning]
    if vector is not None and unknown:
        meaning |= services.vectors.similarities(user_id, vector, unknown)
    # The catalog has the last word: a vector that it does not know, or whose generation is not shown, is no hit.
    known = tx.finder.by_ids(user_id, list({**meaning, **words}))
    hits = [replace(hit, meaning=meaning.get(hit.id, 0.0), words=words.get(hit.id, 0.0)) for hit in known.values()]
    return hits, len(near) < width and len(words) < depth


def _shown(cursor: str | None) -> tuple[str, ...]:
    """Videos of the pages before. They are left out, so that nothing comes twice while more is being indexed."""
    if not cursor:
        return ()
    try:
        data = base64.urlsafe_b64decode(cursor.encode())
    except (ValueError, binascii.Error):
        data = b""
    if not data or len(data) % 16 or len(data) > 16 * MOST_SHOWN:
        raise InvalidInput("The cursor is not one that a search gave.", code="INVALID_CURSOR")
    return tuple(str(UUID(bytes=data[place : place + 16])) for place in range(0, len(data), 16))


def _cursor(shown: Sequence[str]) -> str | None:
    return _encoded(shown) if len(shown) < MOST_SHOWN else None


def _encoded(video_ids: Iterable[str]) -> str:
    return base64.urlsafe_b64encode(b"".join(UUID(one).bytes for one in video_ids)).decode()
