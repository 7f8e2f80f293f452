"""Whether a user may have more stored, and more transcribed this month. Asked before work starts; what is begun is
finished."""

from datetime import UTC, datetime

from biblio.errors import QuotaExceeded, TooLarge
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.usage import SECONDS_TRANSCRIBED


def check_room(services: Services, tx: Transaction, user_id: str, size: int) -> None:
    """For `size` bytes more. Raises `TooLarge`."""
    most = services.limits.most_stored
    if most is None:
        return
    stored = tx.users.stored(user_id)
    if stored + size > most:
        message = f"{stored} bytes are stored and at most {most} may be: delete something first."
        raise TooLarge(message, code="QUOTA_EXCEEDED", limit=most, used=stored)


def check_quota(services: Services, tx: Transaction, user_id: str) -> None:
    """Raises `QuotaExceeded`."""
    most = services.limits.most_transcribed
    if most is None:
        return
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = tx.usage.total(user_id, SECONDS_TRANSCRIBED, month)
    if used >= most:
        message = f"{used:.0f} s of sound were transcribed this month, and {most:.0f} s are agreed."
        raise QuotaExceeded(message, limit=most, used=used)
