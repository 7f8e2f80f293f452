"""Requests that may be sent again: the first one's answer is given to all of them."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from biblio.errors import InvalidInput
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction

LONGEST_KEY = 255  # characters
REMEMBERED = 24 * 3600.0
"""Seconds an answer is given again."""

Answer = dict[str, Any]


class _KeptMeanwhile(Exception):
    """Another request with the same key was faster; what this one did is rolled back."""


def once(
    services: Services, user_id: str, key: str | None, request: object, work: Callable[[Transaction], Answer]
) -> Answer:
    """The answer of `work`, done in one transaction with keeping it: so it is done once, whatever crashes.

    `request` is JSON, all that makes this request another one. Raises `InvalidInput` (IDEMPOTENCY_KEY_REUSED), and
    what `work` raises; then nothing is kept.
    """
    if key is None:
        with services.catalog.transaction() as tx:
            return work(tx)
    digest = _digest(key, request)
    try:
        with services.catalog.transaction() as tx:
            answer = tx.answers.find(user_id, key, digest)
            if answer is None:
                answer = work(tx)
                if not tx.answers.keep(user_id, key, digest, answer):
                    raise _KeptMeanwhile
            return answer
    except _KeptMeanwhile:
        return once(services, user_id, key, request, work)


def same_answer(
    services: Services, user_id: str, key: str | None, request: object, work: Callable[[], Answer]
) -> Answer:
    """As `once`, for work that may be repeated by itself and is too long for one transaction."""
    if key is None:
        return work()
    digest = _digest(key, request)
    with services.catalog.transaction() as tx:
        answer = tx.answers.find(user_id, key, digest)
    return answer or once(services, user_id, key, request, _already(work()))


def _already(answer: Answer) -> Callable[[Transaction], Answer]:
    return lambda _tx: answer


def _digest(key: str, request: object) -> bytes:
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        message = f"An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters."
        raise InvalidInput(message, code="INVALID_IDEMPOTENCY_KEY")
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=True).encode()).digest()
