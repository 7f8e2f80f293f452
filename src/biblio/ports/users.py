"""Users and their keys."""

from typing import Protocol


class Users(Protocol):
    """- a key belongs to the user it was made for
    - an unknown key belongs to nobody
    - only a key's digest is stored
    - a user name is taken once
    """

    def add(self, name: str) -> str:
        """Make a user; their id. Raises `Conflict` when the name is taken."""

    def id_of(self, name: str) -> str | None: ...

    def give_key(self, user_id: str, key: str) -> None:
        """Let `key` open this user's library. A key given before is given again without complaint."""

    def owner_of(self, key: str) -> str | None:
        """The id of the user whom a key belongs to."""
