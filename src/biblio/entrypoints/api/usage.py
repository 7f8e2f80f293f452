"""What a user has used."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.periods import moment_of
from biblio.errors import InvalidInput

router = APIRouter(prefix="/api", tags=["usage"])


@router.get("/usage", response_model=shapes.UsageReport)
def usage(
    services: UsersServices,
    user_id: TheUser,
    start: Annotated[str | None, Query(alias="from", description="From this moment on; else this month.")] = None,
    end: Annotated[str | None, Query(alias="to", description="Up to this moment, not including it; else now.")] = None,
) -> dict[str, Any]:
    """Bytes stored, seconds transcribed and tokens embedded, by video and engine.

    Moments are dates or dates and times as in ISO 8601; without a zone they are UTC.
    """
    now = datetime.now(UTC)
    until = moment_of(end) if end is not None else now + timedelta(seconds=1)
    since = moment_of(start) if start is not None else until.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if since > until:
        raise InvalidInput("'from' is after 'to'.", code="INVALID_PERIOD")
    with services.catalog.transaction() as tx:
        used = tx.usage.between(user_id, since, until)
    totals: dict[str, float] = {}
    for one in used:
        totals[one.unit] = totals.get(one.unit, 0.0) + one.amount
    videos = [{"video_id": one.video_id, "unit": one.unit, "amount": one.amount, "engine": one.engine} for one in used]
    return {"from": since, "to": until, "totals": totals, "videos": videos}
