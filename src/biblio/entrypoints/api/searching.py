"""A question, and the moments that answer it."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from biblio.domain.search import Filters, Mode, Scope
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.periods import moment_of
from biblio.entrypoints.api.shaping import found_shape
from biblio.pipeline.search import search as find
from biblio.pipeline.similar import similar as find_similar
from biblio.pipeline.suggest import suggest as find_words

router = APIRouter(prefix="/api", tags=["search"])

Limit = Annotated[int, Query(ge=1, le=50)]
Moments = Annotated[int, Query(ge=1, le=50, description="Of one video, at most.")]
Seconds = Annotated[float | None, Query(ge=0)]


async def _filters(  # needs no thread
    language: Annotated[str | None, Query(max_length=20)] = None,
    since: Annotated[str | None, Query(alias="from", description="As in `GET /api/usage`.")] = None,
    until: Annotated[str | None, Query(alias="to")] = None,
    min_duration: Seconds = None,
    max_duration: Seconds = None,
    title: Annotated[str | None, Query(max_length=500)] = None,
) -> Filters:
    """Videos added `from` until before `to`, of so many seconds, with `title` in their title."""
    return Filters(
        language=_plain(language),
        since=None if since is None else moment_of(since),
        until=None if until is None else moment_of(until),
        shortest=min_duration,
        longest=max_duration,
        title=_plain(title),
    )


def _plain(text: str | None) -> str | None:
    """The catalog knows no NUL, so no title has one."""
    return None if text is None else text.replace("\x00", "\ufffd")


@router.get("/search", response_model=shapes.SearchAnswer)
def search(
    services: UsersServices,
    user_id: TheUser,
    filters: Annotated[Filters, Depends(_filters)],
    q: str,
    limit: Limit = 10,
    moments: Moments = 5,
    video_id: Annotated[list[str] | None, Query(max_length=50)] = None,
    mode: Mode = Mode.HYBRID,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Moments where the question is answered, grouped by video, best first. `highlights` are ranges of `text`.

    "Quoted words" are looked for to the letter, and what says a -word is left out. `matched` tells why a moment is
    there. Give `next` back as `cursor` for more videos: none comes twice, whatever is indexed meanwhile.
    """
    began = time.perf_counter()
    if video_id is not None:
        with services.catalog.transaction() as tx:
            for one in video_id:
                tx.videos.get(one, user_id=user_id)
    scope = Scope(only=None if video_id is None else tuple(video_id))
    answer = find(
        services, user_id, q, limit=limit, moments=moments, mode=mode, scope=scope, filters=filters, cursor=cursor
    )
    results = [found_shape(video) for video in answer.found]
    return {"query": q, "took_ms": _since(began), "results": results, "next": answer.next, "relaxed": answer.relaxed}


@router.get("/search/suggest", response_model=shapes.Suggestions)
def suggest(services: UsersServices, user_id: TheUser, q: str, limit: Limit = 10) -> dict[str, Any]:
    """What might be meant while it is being typed: words of the library that begin like the last one of `q`."""
    return {"query": q, "suggestions": find_words(services, user_id, q, limit=limit)}


@router.get("/videos/{video_id}/similar", response_model=shapes.SimilarMoments)
def similar(
    services: UsersServices,
    user_id: TheUser,
    video_id: str,
    t: Annotated[float, Query(ge=0, description="Seconds from the beginning of the video.")],
    limit: Limit = 10,
    moments: Moments = 5,
) -> dict[str, Any]:
    """Moments that are about the same as the one at `t`, in this and in all other videos."""
    began = time.perf_counter()
    passage, found = find_similar(services, user_id, video_id, t, limit=limit, moments=moments)
    return {
        "video_id": video_id,
        "time": passage.start,
        "text": passage.text,
        "took_ms": _since(began),
        "results": [found_shape(video) for video in found],
    }


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
