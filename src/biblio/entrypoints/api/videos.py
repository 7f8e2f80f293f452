"""Calls about videos."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query

from biblio.domain.flow import Status
from biblio.domain.listing import Chosen, Sort
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.shaping import listed_shape, status_shape, upload_shape
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.upload import checked_title, invitations

router = APIRouter(prefix="/api/videos", tags=["videos"])


@router.get("/{video_id}/status", response_model=shapes.VideoStatus)
def status(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Where a video is on its road; `progress` in percent."""
    with services.catalog.transaction() as tx:
        event_id = tx.events.last(user_id)  # first, so that nothing is missed by whoever goes on from it
        video = tx.videos.get(video_id, user_id=user_id)
        return status_shape(video, event_id, tx.events.outlook(video))


@router.get("", response_model=shapes.VideoPage, response_model_exclude_unset=True)
def page(
    services: UsersServices,
    user_id: TheUser,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=8000)] = None,
    sort: Sort = Sort.NEWEST,
    status: Annotated[list[Status] | None, Query(max_length=20)] = None,
    title: Annotated[str | None, Query(max_length=200)] = None,
    language: Annotated[str | None, Query(max_length=20)] = None,
    fingerprint: Annotated[str | None, Query(max_length=128, pattern=shapes.PRINTABLE)] = None,
    acknowledged: bool | None = None,
    count: bool = False,
) -> dict[str, Any]:
    """The user's videos, in the order of `sort`; `next` is the cursor of the following page.

    `title` is any part of it. With `status=UPLOADING` alone or `acknowledged=false`, those that are UPLOADING have an
    `upload`, by which their bytes can still be sent, from any device. With `count=true`, `total` is how many there are.
    """
    chosen = Chosen(frozenset(status or ()), title, language, fingerprint, acknowledged)
    with services.catalog.transaction() as tx:
        found = tx.videos.page(user_id, limit=limit, cursor=cursor, sort=sort, chosen=chosen, count=count)
        wanted = chosen.statuses == {Status.UPLOADING} or acknowledged is False
        asked = [video for video in found.videos if wanted and video.status is Status.UPLOADING]
        uploads = {
            video.id: upload_shape(video, one)
            for video, one in zip(asked, invitations(services, tx, asked), strict=True)
        }
    videos = [{**listed_shape(video), "upload": uploads.get(video.id)} for video in found.videos]
    return {"videos": videos, "next": found.next, **({"total": found.total} if count else {})}


@router.get("/{video_id}", response_model=shapes.WholeVideo)
def whole(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Everything about a video, its script included."""
    with services.catalog.transaction(snapshot=True) as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        script, _ = tx.videos.transcript(video_id)
    upload = None
    if video.status is Status.UPLOADING:
        with services.catalog.transaction() as tx:
            upload = upload_shape(video, invitations(services, tx, [video])[0])
    more = {"script": script, "meta_info": video.meta_info, "options": video.options.as_json(), "upload": upload}
    return {**listed_shape(video), **more}


@router.patch("/{video_id}", response_model=shapes.ListedVideo)
def change(services: UsersServices, user_id: TheUser, video_id: str, body: shapes.ChangeVideo) -> dict[str, Any]:
    """Rename a video."""
    title = checked_title(body.title)
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        tx.videos.update(video_id, title=title)
    return listed_shape(replace(video, title=title))


@router.delete("/{video_id}", status_code=202, response_model=shapes.Deleted)
def delete(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Hide a video at once, and remove it from every store."""
    request_deletion(services, user_id, video_id)
    return {"video_id": video_id, "status": Status.DELETING}
