"""What the domain knows, in the JSON that `shapes` describes."""

from typing import Any

from biblio.domain.search import Found
from biblio.domain.video import Video
from biblio.pipeline.upload import Invitation
from biblio.ports.events import Event, Outlook
from biblio.ports.storage import SignedRequest


def state_shape(video: Video) -> dict[str, Any]:
    return {
        "video_id": video.id,
        "status": video.status,
        "progress": video.progress,
        "step": video.step,
        "error": video.failure.as_json() if video.failure else None,
        "updated_at": video.updated_at,
    }


def status_shape(video: Video, event_id: int, outlook: Outlook) -> dict[str, Any]:
    return {**state_shape(video), "event_id": event_id, **outlook_shape(outlook)}


def outlook_shape(outlook: Outlook) -> dict[str, Any]:
    return {
        "seconds_left": outlook.seconds_left,
        "queue_position": outlook.queue_position,
        "waiting_for": outlook.waits_for,
    }


def event_shape(event: Event) -> dict[str, Any]:
    return {
        "video_id": event.video_id,
        "status": event.status,
        "progress": event.progress,
        "step": event.step,
        "error": event.failure.as_json() if event.failure else None,
        "updated_at": event.at,
        "event_id": event.id,
        "kind": event.kind,
        "detail": event.detail,
    }


def listed_shape(video: Video) -> dict[str, Any]:
    return {
        **state_shape(video),
        "title": video.title,
        "file_name": video.file_name,
        "file_size": video.file_size,
        "mime_type": video.mime_type,
        "language": video.language,
        "sha256": video.sha256,
        "duration": video.duration,
        "created_at": video.created_at,
        "poster_url": poster_url(video.id, video.poster),
    }


def poster_url(video_id: str, poster: int | None) -> str | None:
    """Another address for another picture, so that browsers may keep what they have."""
    return f"/api/videos/{video_id}/poster?v={poster}" if poster is not None else None


def upload_shape(video: Video, invitation: Invitation) -> dict[str, Any]:
    if isinstance(invitation, SignedRequest):
        return signed_shape(invitation)
    return {
        "method": "MULTIPART",
        "part_size": invitation.plan.part_size,
        "part_count": invitation.plan.count,
        "parts_url": f"/api/videos/{video.id}/upload/parts",
        "expires_at": invitation.expires_at,
    }


def signed_shape(signed: SignedRequest) -> dict[str, Any]:
    return {
        "method": signed.method,
        "url": signed.url,
        "headers": dict(signed.headers),
        "expires_at": signed.expires_at,
    }


def found_shape(found: Found) -> dict[str, Any]:
    moments = [
        {
            "start_time": moment.start,
            "end_time": moment.end,
            "text": moment.text,
            "highlights": moment.highlights,
            "score": moment.score,
            "matched": moment.matched,
        }
        for moment in found.moments
    ]
    poster = poster_url(found.video_id, found.poster)
    return {"video_id": found.video_id, "title": found.title, "poster_url": poster, "moments": moments}
