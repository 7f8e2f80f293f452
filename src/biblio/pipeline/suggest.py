"""The beginning of a word in, words out."""

from biblio.domain.question import LONGEST
from biblio.pipeline.services import Services


def suggest(services: Services, user_id: str, typed: str, *, limit: int = 10) -> list[str]:
    """What was typed, with its last word finished in the most likely ways. None for nothing."""
    *before, last = typed.replace("\x00", " ")[:LONGEST].split() or [""]
    with services.catalog.transaction() as tx:
        words = tx.finder.suggest(user_id, last, limit=limit)
    return [" ".join([*before, word]) for word in words]
