"""A question in, moments out."""

from collections.abc import Sequence
from dataclasses import replace

from biblio.domain.search import Found, Hit, Mode, fuse, group, terms_of
from biblio.errors import InvalidInput
from biblio.pipeline.services import Services

CANDIDATES = 50
"""Passages each kind of search brings in before they are fused."""

LONGEST_QUESTION = 1_000


def search(
    services: Services,
    user_id: str,
    question: str,
    *,
    limit: int = 10,
    mode: Mode = Mode.HYBRID,
    video_ids: Sequence[str] | None = None,
) -> list[Found]:
    """At most `limit` videos. Raises `InvalidInput` for an empty or endless question."""
    asked = question.replace("\x00", " ").strip()
    if not asked:
        raise InvalidInput("The question is empty.", code="EMPTY_QUESTION")
    if len(asked) > LONGEST_QUESTION:
        raise InvalidInput(f"A question has at most {LONGEST_QUESTION} characters.", code="QUESTION_TOO_LONG")
    semantic = [] if mode is Mode.KEYWORD else _semantic(services, user_id, asked, video_ids)
    keyword = [] if mode is Mode.SEMANTIC else _keyword(services, user_id, asked, video_ids)
    return group(asked, fuse(asked, semantic, keyword, mode), mode, limit)


def _semantic(services: Services, user_id: str, question: str, video_ids: Sequence[str] | None) -> list[Hit]:
    near = services.vectors.search(
        user_id, services.embedder.embed_question(question), limit=CANDIDATES, video_ids=video_ids
    )
    with services.catalog.transaction() as tx:
        # The catalog has the last word: a vector that it does not know, or whose generation is not shown, is no hit.
        known = tx.passages.by_ids(user_id, [hit.id for hit in near])
    return [replace(known[hit.id], semantic=hit.similarity) for hit in near if hit.id in known]


def _keyword(services: Services, user_id: str, question: str, video_ids: Sequence[str] | None) -> list[Hit]:
    with services.catalog.transaction() as tx:
        return tx.passages.by_terms(user_id, terms_of(question), limit=CANDIDATES, video_ids=video_ids)
