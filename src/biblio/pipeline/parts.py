"""Uploads in parts: signed on demand, listed as storage holds them, ended before their time."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from biblio.domain import keys
from biblio.domain.flow import Status
from biblio.domain.parts import PartPlan, checked_sha256
from biblio.domain.video import Video
from biblio.errors import Conflict, InvalidInput, NotFound, Unavailable
from biblio.pipeline.services import Services
from biblio.ports.multipart import StoredPart
from biblio.ports.storage import SignedRequest
from biblio.ports.uploads import Upload

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignedPart:
    """`size` is in bytes: the request takes exactly so many."""

    number: int
    size: int
    request: SignedRequest


@dataclass(frozen=True)
class PartsSoFar:
    """What storage holds of an upload. `checksums` None: nothing was signed yet."""

    plan: PartPlan
    checksums: bool | None
    parts: Sequence[StoredPart]
    missing: Sequence[int]


def sign_parts(
    services: Services, user_id: str, video_id: str, numbers: Sequence[int], sha256: Mapping[int, str]
) -> list[SignedPart]:
    """Raises `NotFound`, `Conflict` (the upload is over, or is one PUT) and `InvalidInput`."""
    video, upload, plan = _open(services, user_id, video_id)
    _check_numbers(numbers, sha256, plan)
    _check_checksums(numbers, sha256, demanded=bool(sha256) if upload.upload_id is None else bool(upload.checksums))
    seconds = services.limits.upload_seconds
    with services.catalog.transaction() as tx:
        # Before anything is begun: from here on the sweep keeps an eye on what is left.
        tx.uploads.signed([video.id], seconds=seconds)
    if upload.upload_id is None:
        upload = _begun(services, user_id, video, checksums=bool(sha256))
        _check_checksums(numbers, sha256, demanded=bool(upload.checksums))
    sign = partial(_signed, services, video, str(upload.upload_id), plan, seconds)
    return [sign(number, sha256.get(number)) for number in numbers]


def parts_so_far(services: Services, user_id: str, video_id: str) -> PartsSoFar:
    """Raises `NotFound` and `Conflict` as `sign_parts`."""
    video, upload, plan = _open(services, user_id, video_id)
    parts = stored_parts(services, video, upload)
    if parts is None:
        return _after_its_end(services, video, upload, plan)
    return PartsSoFar(plan, upload.checksums, parts, plan.missing((part.number, part.size) for part in parts))


def _after_its_end(services: Services, video: Video, upload: Upload, plan: PartPlan) -> PartsSoFar:
    """Somebody has just put it together: then nothing is missing. Or storage threw it away, as lifecycle rules do."""
    try:
        services.storage.stat(video.key)
    except NotFound:
        drop_upload(services, upload)
        return PartsSoFar(plan, None, [], plan.missing([]))
    return PartsSoFar(plan, upload.checksums, [], [])


def drop_upload(services: Services, upload: Upload) -> None:
    """Storage no longer knows it: the next part that is signed begins another."""
    with services.catalog.transaction() as tx:
        tx.uploads.begun(upload.video_id, None, checksums=None, instead_of=upload.upload_id)


def stored_parts(services: Services, video: Video, upload: Upload) -> Sequence[StoredPart] | None:
    """The parts that have arrived; None when storage no longer knows the upload."""
    if upload.upload_id is None:
        return []
    try:
        return services.storage.multipart.parts(video.key, upload.upload_id)
    except NotFound:
        return None


def abort_upload(services: Services, user_id: str, video_id: str) -> Video:
    """End an upload and free what it took. May be repeated. Raises `NotFound`, `Conflict` (it has arrived already)."""
    with services.catalog.transaction() as tx:
        tx.videos.get(video_id, user_id=user_id)
        tx.videos.update(video_id, when=Status.UPLOADING, status=Status.CANCELED)
        video = tx.videos.get(video_id, user_id=user_id)
    if not video.upload_has_ended:
        raise _arrived_already(video)
    free_upload(services, video)
    return video


def free_upload(services: Services, video: Video) -> None:
    """Remove what came of an upload that has ended."""
    try:
        services.storage.remove(keys.video_prefix(video.id))
    except Unavailable as error:
        log.warning("the upload of video %s is freed by the sweep: %s", video.id, error)


def _open(services: Services, user_id: str, video_id: str) -> tuple[Video, Upload, PartPlan]:
    with services.catalog.transaction() as tx:
        video = tx.videos.get(video_id, user_id=user_id)
        refuse_ended(video)
        if video.status is not Status.UPLOADING:
            raise _arrived_already(video)
        if video.part_size is None:
            raise Conflict("This file is sent by one PUT, not in parts.", code="NOT_MULTIPART")
        return video, tx.uploads.get(video_id), PartPlan(video.file_size, video.part_size)


def refuse_ended(video: Video) -> None:
    """Raises `Conflict` when the upload was ended by its user or by time."""
    if video.upload_has_ended:
        raise Conflict(f"The upload has ended: the video is {video.status}.", code="UPLOAD_ENDED")


def _arrived_already(video: Video) -> Conflict:
    return Conflict(f"The file has arrived already: the video is {video.status}.", code="ALREADY_UPLOADED")


def _check_numbers(numbers: Sequence[int], sha256: Mapping[int, str], plan: PartPlan) -> None:
    for number in numbers:
        if not 1 <= number <= plan.count:
            raise InvalidInput(f"There is no part {number}: they go from 1 to {plan.count}.", code="PART_OUT_OF_RANGE")
    for digest in sha256.values():
        checked_sha256(digest)


def _check_checksums(numbers: Collection[int], sha256: Mapping[int, str], *, demanded: bool) -> None:
    """Storage takes checksums with every part of an upload, or with none."""
    without = sorted(set(numbers) - sha256.keys())
    if demanded and without:
        message = f"This upload was begun with checksums: send the sha256 of part {without[0]} too."
        raise InvalidInput(message, code="CHECKSUM_MISSING", numbers=without)
    if not demanded and sha256:
        message = "This upload was begun without checksums: send none, or end it and begin anew."
        raise InvalidInput(message, code="CHECKSUM_UNEXPECTED")


def _begun(services: Services, user_id: str, video: Video, *, checksums: bool) -> Upload:
    """Storage hears of an upload when its first part is signed, so one that is never begun costs it nothing."""
    upload_id = services.storage.multipart.begin(video.key, content_type=video.mime_type, checksums=checksums)
    with services.catalog.transaction() as tx:
        is_first = tx.uploads.begun(video.id, upload_id, checksums=checksums, instead_of=None)
    if not is_first:
        services.storage.multipart.abort(video.key, upload_id)
    _, upload, _ = _open(services, user_id, video.id)
    if upload.upload_id is None:
        raise Unavailable("Storage has just dropped this upload: try again.")
    return upload


def _signed(
    services: Services, video: Video, upload_id: str, plan: PartPlan, seconds: int, number: int, sha256: str | None
) -> SignedPart:
    size = plan.length(number)
    request = services.storage.multipart.sign_part(
        video.key, upload_id, number, size=size, seconds=seconds, sha256=sha256
    )
    return SignedPart(number, size, request)
