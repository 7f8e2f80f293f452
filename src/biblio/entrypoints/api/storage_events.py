"""Where storage says that something arrived."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request

from biblio.domain import keys
from biblio.domain.storage_event import arrivals
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import Bearer, TheServices
from biblio.errors import NotPermitted, Unauthenticated
from biblio.pipeline.services import Services
from biblio.pipeline.trigger import start_arrived

router = APIRouter(prefix="/api", tags=["uploads"])


def is_storage(request: Request, given: Bearer) -> None:
    """Raises `NotPermitted` where no secret is set, `Unauthenticated` for another one.

    Google's Pub/Sub can send no bearer token but its own, and has the secret in its address: `?token=`.
    """
    secret: str | None = request.app.state.event_secret
    if secret is None:
        raise NotPermitted("Storage events are not taken here: BIBLIO_EVENT_SECRET is not set.", code="EVENTS_OFF")
    told = request.query_params.get("token", "") if given is None else given.credentials
    if not secrets.compare_digest(told.encode(), secret.encode()):
        raise Unauthenticated("Storage events come with the shared secret as bearer token.", code="KEY_UNKNOWN")


@router.post("/storage-events", response_model=shapes.EventsTaken, dependencies=[Depends(is_storage)])
def take(services: TheServices, body: Annotated[Any, Body()]) -> dict[str, Any]:
    """Storage's own event: S3's JSON (MinIO's too), EventBridge's, Pub/Sub's of Google, or SeaweedFS's. It only says
    where to look; doubled, late and forged ones change nothing."""
    arrived = arrivals(body, services.storage.bucket)
    started = sum(_started(services, key) for key in arrived)
    return {"started": started, "ignored": len(arrived) - started}


def _started(services: Services, key: str) -> bool:
    video_id = keys.video_id_of(key)
    return video_id is not None and start_arrived(services, video_id, key)
