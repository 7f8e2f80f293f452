"""A question, and the moments that answer it."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from biblio.domain.search import Mode
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.shaping import found_shape
from biblio.pipeline.search import search as find

router = APIRouter(prefix="/api", tags=["search"])


@router.get("/search", response_model=shapes.SearchAnswer)
def search(
    services: UsersServices,
    user_id: TheUser,
    q: str,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    video_id: Annotated[list[str] | None, Query(max_length=50)] = None,
    mode: Mode = Mode.HYBRID,
) -> dict[str, Any]:
    """Moments where the question is answered, grouped by video, best first. `highlights` are ranges of `text`."""
    began = time.perf_counter()
    if video_id is not None:
        with services.catalog.transaction() as tx:
            for one in video_id:
                tx.videos.get(one, user_id=user_id)
    found = find(services, user_id, q, limit=limit, mode=mode, video_ids=video_id)
    took = round((time.perf_counter() - began) * 1000, 1)
    return {"query": q, "took_ms": took, "results": [found_shape(video) for video in found]}
