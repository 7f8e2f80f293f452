"""Moments as calls give them."""

from datetime import UTC, datetime

from biblio.errors import InvalidInput


def moment_of(text: str) -> datetime:
    """Of a date, or a date and time, as in ISO 8601; without a zone it is UTC. Raises `InvalidInput`."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("A moment looks like 2026-11-23 or 2026-11-23T09:30:00Z.", code="INVALID_PERIOD") from None
