"""Talks for the suites of what is searched, written as the step index writes them."""

from collections.abc import Sequence

from biblio.domain.passages import passage_id, passages_of
from biblio.domain.search import EVERYWHERE, Scope
from biblio.domain.transcript import Sentence, Transcript
from biblio.domain.video import Video
from biblio.domain.words import asked_terms
from biblio.ports.catalog import Catalog
from biblio.ports.passages import IndexedPassage

TALK = ("잠금은 모두 되거나 아무것도 안 됩니다.", "An index makes reading fast.", "오늘은 책을 읽습니다.")

APART = 1000.0
"""Seconds between sentences that are not to stand around each other."""


def talk(*texts: str, apart: float = APART) -> Transcript:
    sentences = tuple(Sentence(text, place * apart, place * apart + 5) for place, text in enumerate(texts))
    return Transcript("ko", apart * len(texts), sentences, "whisper", "base")


def rows_of(video: Video, transcript: Transcript) -> list[IndexedPassage]:
    return [
        IndexedPassage(passage_id(video.id, video.generation, one.position), one)
        for one in passages_of(transcript.sentences)
    ]


def write(catalog: Catalog, video: Video, *texts: str, switch: bool = True, apart: float = APART) -> list[str]:
    """Ids of the passages written."""
    transcript = talk(*texts, apart=apart)
    rows = rows_of(video, transcript)
    with catalog.transaction() as tx:
        tx.passages.write(video, rows)
        if switch:
            tx.passages.switch(video, transcript)
    return [row.id for row in rows]


def scores(
    catalog: Catalog,
    user: str,
    question: str,
    scope: Scope = EVERYWHERE,
    *,
    limit: int = 10,
    also: Sequence[str] = (),
) -> dict[str, float]:
    """`Hit.words` by id."""
    with catalog.transaction() as tx:
        return tx.finder.by_words(user, asked_terms(question), limit=limit, scope=scope, also=also)


def find(catalog: Catalog, user: str, question: str, scope: Scope = EVERYWHERE, *, limit: int = 10) -> list[str]:
    """What is said in the passages found, the best first; all of one moment."""
    with catalog.transaction(snapshot=True) as tx:
        points = tx.finder.by_words(user, asked_terms(question), limit=limit, scope=scope)
        known = tx.finder.by_ids(user, list(points))
    assert known.keys() == points.keys(), "whatever has points is visible"
    assert all(value > 0 for value in points.values())
    return [known[one].passage.text for one in sorted(points, key=lambda one: (-points[one], known[one].start))]
