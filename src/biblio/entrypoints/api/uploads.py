"""Calls that bring a video in: announce it, send its parts, say that it is there."""

from typing import Annotated, Any

from fastapi import APIRouter, Header

from biblio.domain.flow import Status
from biblio.entrypoints.api import shapes
from biblio.entrypoints.api.access import TheUser, UsersServices
from biblio.entrypoints.api.shaping import signed_shape, upload_shape
from biblio.pipeline.once import once, same_answer
from biblio.pipeline.parts import abort_upload, parts_so_far, sign_parts
from biblio.pipeline.trigger import complete_upload
from biblio.pipeline.upload import NewVideo, begin_upload
from biblio.ports.catalog import Transaction

router = APIRouter(prefix="/api/videos", tags=["uploads"])

IdempotencyKey = Annotated[
    str | None, Header(description="The same key with the same request gets the same answer, for a day.")
]


@router.post("", status_code=201, response_model=shapes.CreatedVideo)
def create(
    services: UsersServices, user_id: TheUser, body: shapes.CreateVideo, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Announce a video; the answer says where and how to upload its bytes, straight to storage.

    Small files by one PUT within 5 minutes, larger ones in parts that are signed on demand.
    """
    options = body.options.as_options()
    new = NewVideo(body.file_name, body.file_size, body.mime_type, body.title, options, body.sha256, body.fingerprint)

    def work(tx: Transaction) -> dict[str, Any]:
        video, invitation = begin_upload(services, tx, user_id, new)
        answer = {"video_id": video.id, "status": video.status, "upload": upload_shape(video, invitation)}
        return shapes.CreatedVideo.model_validate(answer).model_dump(mode="json")

    return once(services, user_id, idempotency_key, ["create", body.model_dump()], work)


@router.post("/{video_id}/upload/parts", response_model=shapes.SignedParts)
def sign(services: UsersServices, user_id: TheUser, video_id: str, body: shapes.SignParts) -> dict[str, Any]:
    """Addresses for up to 100 parts, each for a PUT of exactly `size` bytes before `expires_at`."""
    sha256 = {int(number): digest for number, digest in body.sha256.items()}
    signed = sign_parts(services, user_id, video_id, body.numbers, sha256)
    return {"parts": [{"number": part.number, "size": part.size, **signed_shape(part.request)} for part in signed]}


@router.get("/{video_id}/upload/parts", response_model=shapes.StoredParts)
def parts(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """What storage really holds of an upload, and the numbers of the parts to send yet."""
    found = parts_so_far(services, user_id, video_id)
    return {
        "video_id": video_id,
        "part_size": found.plan.part_size,
        "part_count": found.plan.count,
        "checksums": found.checksums,
        "parts": [{"number": part.number, "size": part.size, "etag": part.etag} for part in found.parts],
        "missing": found.missing,
    }


@router.delete("/{video_id}/upload", response_model=shapes.CanceledUpload)
def abort(services: UsersServices, user_id: TheUser, video_id: str) -> dict[str, Any]:
    """End an upload and free what it took in storage. The video is CANCELED; a second call changes nothing."""
    video = abort_upload(services, user_id, video_id)
    return {"video_id": video.id, "status": video.status}


@router.post("/{video_id}/upload-complete", status_code=202, response_model=shapes.Accepted)
def upload_complete(
    services: UsersServices, user_id: TheUser, video_id: str, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Say that the bytes have arrived. They are checked and processing begins; a second call changes nothing."""

    def work() -> dict[str, Any]:
        video = complete_upload(services, user_id, video_id)
        # The same answer whoever was first: a storage event or the sweep may have set the video on its road already.
        return {
            "message": "Processing started",
            "video_id": video.id,
            "status": Status.PENDING,
            "check_status_url": f"/api/videos/{video.id}/status",
        }

    return same_answer(services, user_id, idempotency_key, ["complete", video_id], work)
