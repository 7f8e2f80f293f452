"""Whether a user may have more transcribed this month. Asked before work starts; what is begun is finished."""

from datetime import UTC, datetime

from biblio.errors import QuotaExceeded
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.usage import SECONDS_TRANSCRIBED


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
