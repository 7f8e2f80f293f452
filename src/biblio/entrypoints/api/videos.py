"""Calls about videos."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query

from biblio.domain.flow import Status
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheServices, TheUser
from biblio.entrypoints.api.shapes import listed_shape, status_shape, upload_shape
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.trigger import complete_upload
from biblio.pipeline.upload import NewVideo, begin_upload, checked_title

router = APIRouter(prefix="/api/videos", tags=["videos"])


@router.post("", status_code=201, response_model=shapes.CreatedVideo)
def create(services: TheServices, user_id: TheUser, body: shapes.CreateVideo) -> dict[str, Any]:
    """Announce a video; the answer says where and how to upload its bytes, straight to storage, within 5 minutes."""
    new = NewVideo(body.file_name, body.file_size, body.mime_type, body.title, body.options.as_options())
    video, signed = begin_upload(services, user_id, new)
    return {"video_id": video.id, "status": video.status, "upload": upload_shape(signed)}


@router.post("/{video_id}/upload-complete", status_code=202, response_model=shapes.Accepted)
def upload_complete(services: TheServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Say that the bytes have arrived. They are checked and processing begins; a second call changes nothing."""
    video = complete_upload(services, user_id, video_id)
    return {
        "message": "Processing started",
        "video_id": video.id,
        "status": video.status,
        "check_status_url": f"/api/videos/{video.id}/status",
    }


@router.get("/{video_id}/status", response_model=shapes.VideoStatus)
def status(services: TheServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Where a video is on its road; `progress` in percent."""
    with services.catalog.transaction() as tx:
        return status_shape(tx.videos.get(video_id, user_id=user_id))


@router.get("", response_model=shapes.VideoPage)
def page(
    services: TheServices,
    user_id: TheUser,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    status: Status | None = None,
) -> dict[str, Any]:
    """The user's videos, newest first; `next` is the cursor of the following page."""
    with services.catalog.transaction() as tx:
        found = tx.videos.page(user_id, limit=limit, cursor=cursor, status=status)
    return {"videos": [listed_shape(video) for video in found.videos], "next": found.next}


@router.get("/{video_id}", response_model=shapes.WholeVideo)
def whole(services: TheServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Everything about a video, its script included."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        script, _ = tx.videos.transcript(video_id)
    more = {"script": script, "meta_info": video.meta_info, "options": video.options.as_json()}
    return {**listed_shape(video), **more}


@router.patch("/{video_id}", response_model=shapes.ListedVideo)
def change(services: TheServices, user_id: TheUser, video_id: str, body: shapes.ChangeVideo) -> dict[str, Any]:
    """Rename a video."""
    title = checked_title(body.title)
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        tx.videos.update(video_id, title=title)
    return listed_shape(replace(video, title=title))


@router.delete("/{video_id}", status_code=202, response_model=shapes.Deleted)
def delete(services: TheServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Hide a video at once, and remove it from every store."""
    request_deletion(services, user_id, video_id)
    return {"video_id": video_id, "status": Status.DELETING}
