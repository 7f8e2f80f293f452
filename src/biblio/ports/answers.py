"""Answers that were given, so that a request sent again gets the same one."""

from typing import Any, Protocol


class Answers(Protocol):
    """- an answer is given again for the same request
    - a key used for another request is refused
    - of two answers kept at once the first stays
    - an answer is forgotten after a day
    """

    def find(self, user_id: str, key: str, request: bytes) -> dict[str, Any] | None:
        """The answer this user's request with this key got; None when it is new. `request` is the request's digest.

        Raises `InvalidInput` (code IDEMPOTENCY_KEY_REUSED) when the key came with another request before.
        """

    def keep(self, user_id: str, key: str, request: bytes, answer: dict[str, Any]) -> bool:
        """Whether this answer is the kept one; waits for another transaction that is about to keep one."""

    def forget(self, *, seconds: float) -> int:
        """Forget answers older than `seconds`; how many."""
