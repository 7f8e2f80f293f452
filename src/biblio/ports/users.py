"""Users and their keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Usage:
    """`uploading` is how many uploads are open, the first of which ends by itself at `next_expiry`."""

    uploading: int
    next_expiry: datetime | None = None


class Users(Protocol):
    """- a key belongs to the user it was made for
    - an unknown key belongs to nobody
    - only a key's digest is stored
    - a user name is taken once
    - stored bytes are counted with those on their way, of this user only
    - usage holds other transactions off until this one ends
    """

    def add(self, name: str) -> str:
        """Make a user; their id. Raises `Conflict` when the name is taken."""

    def id_of(self, name: str) -> str | None: ...

    def give_key(self, user_id: str, key: str) -> None:
        """Let `key` open this user's library. A key given before is given again without complaint."""

    def owner_of(self, key: str) -> str | None:
        """The id of the user whom a key belongs to."""

    def usage(self, user_id: str) -> Usage:
        """Until the transaction ends, nobody else asks: so two uploads at once don't both take the last place."""

    def stored(self, user_id: str) -> int:
        """Bytes of all videos, those on their way as declared. The larger the library, the longer it takes."""
