"""The one table that turns the openai library's errors into ours."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import openai
from pydantic import ValidationError

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

Answer = tuple[type[AdapterError], str | None, str]

EMPTY_SECONDS = 600.0
"""After which an account without credit is tried again, where the service does not say."""
LONGEST_QUOTE = 200
"""Characters of what the service itself said. It says nothing of the key, except where it refuses one."""

_KEY: Answer = (Misconfigured, None, "{place} refuses this key, or what it is used for: check the openai:// address.")
_NOT_THERE: Answer = (Misconfigured, None, "{place} has no such model or path: check the openai:// address.{said}")
_LARGE: Answer = (Misconfigured, None, "{place} takes no call that large: lower 'max_bytes' or 'texts_per_call'.{said}")
_SLOWER: Answer = (RateLimited, None, "{place} asks to be called less often.")
_EMPTY: Answer = (RateLimited, "QUOTA_EXHAUSTED", "The account at {place} is used up: add credit or raise its limit.")
_DOWN: Answer = (Unavailable, None, "{place} does not answer, or broke off: try again soon.")
_GARBLED: Answer = (Unavailable, None, "{place} answered half, or something else than its protocol says.")
_REFUSED: Answer = (Rejected, None, "{place} refused the call.{said}")

# An answer's own code comes first, then its HTTP status, then the status's class; other errors go by their type.
TABLE: dict[str | type[BaseException], Answer] = {
    "insufficient_quota": _EMPTY,
    "model_not_found": _NOT_THERE,
    "401": _KEY,
    "403": _KEY,
    "404": _NOT_THERE,
    "405": _NOT_THERE,
    "413": _LARGE,
    "429": _SLOWER,
    "408": _DOWN,
    "409": _DOWN,
    "3xx": _NOT_THERE,
    "4xx": _REFUSED,
    "5xx": _DOWN,
    ssl.SSLError: (Misconfigured, None, "The certificate of {place} cannot be trusted: check host and 'tls'."),
    openai.APIResponseValidationError: _GARBLED,
    openai.APITimeoutError: (Unavailable, None, "{place} did not answer in time."),
    openai.APIConnectionError: _DOWN,
    openai.OpenAIError: _DOWN,
    ValidationError: _GARBLED,
    ValueError: _GARBLED,
}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise ours for any error of the library, and for an answer that cannot be read."""
    try:
        yield
    except (openai.OpenAIError, ValueError) as error:
        kind, code, sentence = next(TABLE[name] for name in _names(error) if name in TABLE)
        more: dict[str, Any] = {"retry_after": _retry_after(error, code)} if kind is RateLimited else {}
        raise kind(sentence.format(place=place, said=_quoted(error)), code=code, **more) from error


def _names(error: BaseException) -> list[str | type[BaseException]]:
    kinds = list(type(error).__mro__)
    if isinstance(error, openai.APIStatusError):
        status = str(error.status_code)
        return [str(error.code), status, f"{status[:1]}xx", *kinds]
    is_untrusted = any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error))
    return [ssl.SSLError] if is_untrusted else [*kinds]


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _quoted(error: BaseException) -> str:
    body = error.body if isinstance(error, openai.APIStatusError) else None
    said = body.get("message") if isinstance(body, dict) else None
    return " It said: " + " ".join(said.split())[:LONGEST_QUOTE] if isinstance(said, str) else ""


def _retry_after(error: BaseException, code: str | None) -> float | None:
    """Seconds. The header has seconds or a date."""
    value = error.response.headers.get("retry-after", "") if isinstance(error, openai.APIStatusError) else ""
    otherwise = EMPTY_SECONDS if code else None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return otherwise
