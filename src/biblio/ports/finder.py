"""Looking for passages in the catalog. Only visible generations of videos that are not being deleted are seen."""

from collections.abc import Sequence
from typing import Protocol

from biblio.domain.passages import Passage
from biblio.domain.search import Filters, Hit, Scope


class Finder(Protocol):
    """- a Korean word is found with any particle behind it
    - spacing and capitals do not matter
    - a rare word counts more than a frequent one
    - what is said around a passage and in the title counts too
    - a user never finds another user's passages
    - a search in a scope finds only what is in it
    - a large library is searched like a small one
    - filters choose videos
    - words are suggested from their first letter on
    """

    def by_words(
        self, user_id: str, terms: Sequence[str], *, limit: int, scope: Scope, also: Sequence[str] = ()
    ) -> dict[str, float]:
        """Ids of the passages that say most of the `asked_terms`, and `Hit.words` of each; of `also` in any case."""

    def by_ids(self, user_id: str, ids: Sequence[str]) -> dict[str, Hit]:
        """Those of the passages that are visible to this user."""

    def reading(self, user_id: str, ids: Sequence[str], *, seconds: float) -> dict[str, list[Passage]]:
        """Each passage, and what begins within so many seconds after it."""

    def suggest(self, user_id: str, typed: str, *, limit: int) -> list[str]:
        """Words that begin with what was typed, the most frequent first. A syllable may be unfinished ('데잍'), and the
        first letters of syllables are enough ('ㄷㅇㅌ')."""

    def where(self, user_id: str, filters: Filters) -> tuple[str, ...]:
        """Ids of the videos that pass all filters."""
