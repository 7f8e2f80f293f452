"""What storage really holds."""

from collections.abc import Iterator
from typing import Protocol

from biblio.ports.storage import StoredObject


class Inventory(Protocol):
    """- every object below a prefix is listed once, past a page too
    - every unfinished upload below a prefix is listed

    Every method also raises `Unavailable`, `RateLimited`, `Rejected` and `Misconfigured`.
    """

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """In any order. Their content type is not told here: ''."""

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and id of every upload that was begun and not ended."""
