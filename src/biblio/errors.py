"""Every error biblio raises on purpose.

    BiblioError                  code, message, retryable
    ├── NotFound                 it is not there, or it is somebody else's
    ├── Conflict                 it is there, but not in a state that allows this
    ├── NotPermitted             the caller may not do this
    ├── Unauthenticated          the caller did not say who they are
    ├── InvalidInput             the request or the file makes no sense
    ├── TooLarge                 a stated limit is exceeded
    ├── QuotaExceeded            what was agreed is used up
    ├── LeaseLost                another worker owns this step now
    └── AdapterError             an outside thing answered badly
        ├── Unavailable          down, slow or refusing: worth another try
        ├── RateLimited          too many calls: worth another try, later
        ├── Rejected             it understood and said no: a retry cannot help
        └── Misconfigured        an address, a key or an extra is wrong

`code` is stable and for programs, the message is a sentence for people. HTTP statuses live in one table, in
`entrypoints/api/problems.py`.
"""

from typing import Any


class BiblioError(Exception):
    """An error with a stable code for programs and a sentence for people."""

    code = "INTERNAL"
    retryable = False

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.code, self.details))


def _rebuild(kind: type[BiblioError], message: str, code: str, details: dict[str, Any]) -> BiblioError:
    return kind(message, code=code, **details)


class NotFound(BiblioError):
    code = "NOT_FOUND"


class Conflict(BiblioError):
    code = "CONFLICT"


class NotPermitted(BiblioError):
    code = "NOT_PERMITTED"


class Unauthenticated(BiblioError):
    code = "UNAUTHENTICATED"


class InvalidInput(BiblioError):
    code = "INVALID_INPUT"


class TooLarge(BiblioError):
    code = "TOO_LARGE"


class QuotaExceeded(BiblioError):
    code = "QUOTA_EXCEEDED"


class LeaseLost(BiblioError):
    code = "LEASE_LOST"


class AdapterError(BiblioError):
    code = "ENGINE_ERROR"


class Unavailable(AdapterError):
    code = "ENGINE_UNAVAILABLE"
    retryable = True


class RateLimited(AdapterError):
    """`retry_after` is in seconds; None where the service did not say."""

    code = "RATE_LIMITED"
    retryable = True

    def __init__(
        self, message: str, *, code: str | None = None, retry_after: float | None = None, **details: Any
    ) -> None:
        super().__init__(message, code=code, retry_after=retry_after, **details)
        self.retry_after = retry_after


class Rejected(AdapterError):
    code = "ENGINE_REJECTED"


class Misconfigured(AdapterError):
    code = "MISCONFIGURED"
