"""A question in, moments out."""

from collections.abc import Sequence
from dataclasses import replace

from biblio.domain.search import Found, Mode, fuse, group, terms_of
from biblio.errors import InvalidInput
from biblio.pipeline.services import Services
from biblio.ports.vectors import Near

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
    near = [] if mode is Mode.KEYWORD else _near(services, user_id, asked, video_ids)
    # Of one moment: a video may just be switching to another index, and hits of both would be told side by side.
    with services.catalog.transaction(snapshot=True) as tx:
        # The catalog has the last word: a vector that it does not know, or whose generation is not shown, is no hit.
        known = tx.passages.by_ids(user_id, [hit.id for hit in near])
        terms = () if mode is Mode.SEMANTIC else terms_of(asked)
        keyword = tx.passages.by_terms(user_id, terms, limit=CANDIDATES, video_ids=video_ids)
    semantic = [replace(known[hit.id], semantic=hit.similarity) for hit in near if hit.id in known]
    return group(asked, fuse(asked, semantic, keyword, mode), mode, limit)


def _near(services: Services, user_id: str, question: str, video_ids: Sequence[str] | None) -> list[Near]:
    vector = services.embedder.embed_question(question)
    return services.vectors.search(user_id, vector, limit=CANDIDATES, video_ids=video_ids)
