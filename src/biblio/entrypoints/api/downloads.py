"""What people take away: transcripts, and signed addresses of video and sound."""

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, RedirectResponse

from biblio.domain import keys, subtitles
from biblio.domain.flow import Status
from biblio.domain.transcript import results
from biblio.domain.video import Video
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.download_shapes import Media, TranscriptResults, TranscriptWords
from biblio.errors import Conflict, NotFound
from biblio.pipeline.extract import JPEG
from biblio.pipeline.services import Services
from biblio.ports.storage import SignedRequest

router = APIRouter(prefix="/api/videos/{video_id}", tags=["videos"])


SIGNED_EARLY = 300
"""Seconds before its signed address ends, a browser asks for the picture anew."""


class Format(StrEnum):
    JSON = "json"
    SRT = "srt"
    VTT = "vtt"
    TXT = "txt"
    WORDS = "words"


TEXTS = {
    Format.SRT: (subtitles.srt, "application/x-subrip"),
    Format.VTT: (subtitles.vtt, "text/vtt"),
    Format.TXT: (subtitles.txt, "text/plain"),
}


@router.get(
    "/transcript",
    response_model=TranscriptResults | TranscriptWords,
    responses={200: {"content": {media_type: {"schema": {"type": "string"}} for _, media_type in TEXTS.values()}}},
)
def transcript(services: UsersServices, user_id: TheUser, video_id: str, format: Format = Format.JSON) -> Any:
    """What is said, with times in seconds; as JSON (with words, too), SubRip, WebVTT or plain text."""
    with services.catalog.transaction(snapshot=True) as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        _, sentences = tx.videos.transcript(video_id, words=format is Format.WORDS)
    if video.status is not Status.COMPLETED and not sentences:
        raise Conflict(f"There is no transcript yet: the video is {video.status}.", code="NOT_READY")
    if format is Format.JSON:
        return results(sentences)
    if format is Format.WORDS:  # as it is: thousands of words need no second look
        return JSONResponse({"language": video.language, **results(sentences, with_words=True)})
    render, media_type = TEXTS[format]
    name = quote(f"{video.title}.{format}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "X-Content-Type-Options": "nosniff"}
    return Response(render(sentences), media_type=f"{media_type}; charset=utf-8", headers=headers)


@router.get("/media", response_model=Media)
def media(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """Addresses that play the video and its sound, ranges included, for an hour."""
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
    if video.etag is None:
        raise Conflict(f"There is nothing to play: the video is {video.status}.", code="NOT_READY")
    _require_the_same(services, video)
    video_url = _signed(services, video.key, video.file_name, video.mime_type)
    return {"video": video_url, "audio": _audio(services, video), "poster": _poster(services, video)}


@router.get(
    "/poster", status_code=307, response_class=RedirectResponse, responses={307: {"description": "To the JPEG itself."}}
)
def poster(services: UsersServices, user_id: TheUser, video_id: str) -> RedirectResponse:
    """The video's picture, a JPEG at most 640 pixels wide, at a signed address in storage."""
    with services.catalog.transaction() as tx:
        signed = _poster(services, tx.videos.get(video_id, user_id=user_id))
    if signed is None:
        raise NotFound("This video has no picture.", code="POSTER_NOT_FOUND")
    kept = max(0, services.limits.download_seconds - SIGNED_EARLY)
    return RedirectResponse(signed["url"], headers={"Cache-Control": f"private, max-age={kept}"})


def _require_the_same(services: Services, video: Video) -> None:
    """A signed address can't be pinned to an etag, so the object is looked at before. Raises `NotFound`, `Conflict`."""
    if services.storage.stat(video.key).etag != video.etag:
        raise Conflict("The file in storage is no longer the one that was uploaded.", code="OBJECT_CHANGED")


def _poster(services: Services, video: Video) -> dict[str, Any] | None:
    return _signed(services, keys.poster(video.id), "poster.jpg", JPEG) if video.poster is not None else None


def _audio(services: Services, video: Video) -> dict[str, Any] | None:
    try:
        services.storage.stat(keys.audio(video.id))
    except NotFound:
        return None
    return _signed(services, keys.audio(video.id), f"{PurePosixPath(video.file_name).stem}.mp3", "audio/mpeg")


def _signed(services: Services, key: str, file_name: str, content_type: str) -> dict[str, Any]:
    seconds = services.limits.download_seconds
    signed: SignedRequest = services.storage.sign_download(
        key, file_name=file_name, content_type=content_type, seconds=seconds
    )
    return {"url": signed.url, "expires_at": signed.expires_at}
