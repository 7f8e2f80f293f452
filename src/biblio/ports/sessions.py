"""Browsers that are signed in, and the one-time tokens that sign them in."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Session:
    """Whose it is; `name` is that user's."""

    user_id: str
    name: str


class Sessions(Protocol):
    """- a session is its user's until it is closed
    - a session ends when it is not used for its time
    - a token is spent once: of many at once, one gets it
    - a token that is too old is worth nothing
    - only digests of sessions and tokens are stored
    - what has ended is forgotten
    """

    def open(self, user_id: str, session_id: str, *, seconds: float) -> None:
        """Let whoever knows `session_id` be this user, until it was not used for `seconds`."""

    def find(self, session_id: str, *, seconds: float) -> Session | None:
        """The session, if it is open. It is used by that, and now open for `seconds` more (give or take an hour)."""

    def close(self, session_id: str) -> bool:
        """Whether it was open."""

    def give_token(self, user_id: str, token: str, *, seconds: float) -> None:
        """Let `token` sign in as this user, once, within `seconds`."""

    def spend_token(self, token: str) -> str | None:
        """The user whom it signs in; None when it was spent, is too old or never was."""

    def forget(self) -> int:
        """Forget sessions and tokens whose time is over; how many."""
