"""Calls that steer the work on a video, and tell of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from biblio.domain.flow import Step
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.shaping import event_shape
from biblio.errors import NotFound
from biblio.pipeline.cancel import cancel as cancel_work
from biblio.pipeline.reprocess import reprocess as process_again

router = APIRouter(prefix="/api/videos", tags=["processing"])

MOST_EVENTS = 1000


@router.post("/{video_id}/cancel", status_code=202, response_model=shapes.Canceled)
def cancel(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Stop the work on a video, or its upload. Its file stays, and it may be reprocessed."""
    video = cancel_work(services, user_id, video_id)
    return {"video_id": video.id, "status": video.status}


@router.post("/{video_id}/reprocess", status_code=202, response_model=shapes.Accepted)
def reprocess(
    services: UsersServices, user_id: TheUser, video_id: str, body: shapes.Reprocess | None = None
) -> dict[str, Any]:
    """Process a video again, from a chosen step, with other options. Until it is done, searches find it as it was."""
    wish = body or shapes.Reprocess()
    options = wish.options.as_options() if wish.options is not None else None
    step = Step(wish.step) if wish.step is not None else None
    video = process_again(services, user_id, video_id, step=step, options=options)
    return {
        "message": "Processing started",
        "video_id": video.id,
        "status": video.status,
        "check_status_url": f"/api/videos/{video.id}/status",
    }


@router.get("/{video_id}/events", response_model=shapes.VideoHistory)
def history(
    services: UsersServices,
    user_id: TheUser,
    video_id: str,
    after: Annotated[int, Query(ge=0, le=shapes.LARGEST_NUMBER)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = MOST_EVENTS,
) -> dict[str, Any]:
    """What happened to a video, oldest first: every status, attempt and retry, with the reasons."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        events = tx.events.after(user_id, after, limit=limit, video_id=video.id)
    return {"events": [event_shape(event) for event in events]}


@router.get("/{video_id}/receipt", response_model=shapes.DeletionReceipt)
def receipt(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """What was removed with a video that was deleted; 404 while it is being removed."""
    with services.catalog.transaction() as tx:
        found = tx.holdings.receipt(video_id)
    if found is None or found.user_id != user_id:
        raise NotFound("There is no such receipt.", code="RECEIPT_NOT_FOUND")
    kinds = ("objects", "uploads", "vectors", "rows")
    removed = {kind: found.removed.get(kind, {}) for kind in kinds}
    return {"video_id": found.video_id, "deleted_at": found.deleted_at, **removed}
