"""The calls of biblio's API that bring a video in, as the API emulator answers them."""

import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from biblio.domain.parts import PartPlan
from tests.emulators.biblio_storage import Stored
from tests.emulators.faults import Handler

if TYPE_CHECKING:
    from tests.emulators.biblio_api import ApiEmulator

Video = dict[str, Any]


def plan(api: "ApiEmulator", video: Video) -> PartPlan:
    return PartPlan(video["file_size"], api.part_size)


def missing(api: "ApiEmulator", video: Video) -> list[int]:
    stored = api.storage.parts.get(video["video_id"], {})
    return plan(api, video).missing((number, part.size) for number, part in stored.items())


def upload_of(api: "ApiEmulator", video: Video) -> dict[str, Any] | None:
    """As it stands in a listing: with a fresh address."""
    if video["status"] != "UPLOADING":
        return None
    video_id = video["video_id"]
    if video["file_size"] > api.threshold:
        parts = {"part_size": api.part_size, "part_count": plan(api, video).count}
        url = f"/api/videos/{video_id}/upload/parts"
        return {"method": "MULTIPART", **parts, "parts_url": url, **expiry(api, 7 * 24 * 3600)}
    headers = {"Content-Type": video["mime_type"], "If-None-Match": "*"}
    headers |= checksum(video["sha256"])
    return {**api.storage.sign(video_id, 0, headers, time.time() + api.url_seconds), **expiry(api, api.url_seconds)}


def expiry(api: "ApiEmulator", seconds: float) -> dict[str, str]:
    return {"expires_at": datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()}


def checksum(sha256: str | None) -> dict[str, str]:
    return {"x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode()} if sha256 else {}


class Uploads(Handler):
    """Mixed into the API's handler."""

    api: "ApiEmulator"

    def create(self, body: dict[str, Any]) -> None:
        key = self.headers["Idempotency-Key"]
        self.api.keys.append(key)
        if key in self.api.answers:
            self.answer(201, self.api.answers[key])
            return
        if not body["file_name"].lower().endswith((".mp4", ".mov", ".avi", ".mkv")):
            self.problem(422, "UNSUPPORTED_FORMAT", "Files ending in '.txt' are not taken.")
            return
        mime_type, title, options = body.get("mime_type"), body.get("title"), body.get("options", {})
        video = self.api.add(body["file_name"], body["file_size"], mime_type, title, options)
        video.update(sha256=body.get("sha256"), fingerprint=body.get("fingerprint"))
        upload = upload_of(self.api, video)
        self.api.answers[key] = {"video_id": video["video_id"], "status": "UPLOADING", "upload": upload}
        self.answer(201, self.api.answers[key])

    def upload(self, video: Video, body: dict[str, Any]) -> None:
        if self.command == "DELETE":
            video["status"] = "CANCELED"
            self.api.storage.parts.pop(video["video_id"], None)
            self.answer(200, {"video_id": video["video_id"], "status": "CANCELED"})
        elif video["status"] != "UPLOADING":
            ended = video["status"] in ("CANCELED", "EXPIRED")
            self.problem(409, "UPLOAD_ENDED" if ended else "ALREADY_UPLOADED", f"The video is {video['status']}.")
        elif self.command == "POST":
            self._sign(video, body)
        else:
            self._parts(video)

    def complete(self, video: Video) -> None:
        if video["status"] == "UPLOADING" and not self._is_all_there(video):
            return
        if video["status"] in ("CANCELED", "EXPIRED"):
            self.problem(409, "UPLOAD_ENDED", f"The video is {video['status']}.")
            return
        video["status"] = "PENDING" if video["status"] == "UPLOADING" else video["status"]
        video["acknowledged"] = "true"
        video_id = video["video_id"]
        answer = {"message": "Processing started", "video_id": video_id, "status": "PENDING"}
        self.answer(202, {**answer, "check_status_url": f"/api/videos/{video_id}/status"})

    def _sign(self, video: Video, body: dict[str, Any]) -> None:
        with self.api.lock:
            uploads = self.api.storage.parts
            if video["video_id"] not in uploads:
                uploads[video["video_id"]] = {}
                video["checksums"] = "sha256" in body
        self.api.signed.append(body["numbers"])
        if video["checksums"] != ("sha256" in body):
            self.problem(422, "CHECKSUM_MISSING" if video["checksums"] else "CHECKSUM_UNEXPECTED", "No.")
            return
        expires = time.time() + self.api.url_seconds
        parts = []
        for number in body["numbers"]:
            headers = checksum(body["sha256"][str(number)]) if video["checksums"] else {}
            signed = self.api.storage.sign(video["video_id"], number, headers, expires)
            size = plan(self.api, video).length(number)
            parts.append({"number": number, "size": size, **signed, **expiry(self.api, self.api.url_seconds)})
        self.answer(200, {"parts": parts})

    def _parts(self, video: Video) -> None:
        stored: dict[int, Stored] = self.api.storage.parts.get(video["video_id"], {})
        if video["video_id"] not in self.api.storage.parts:
            video["checksums"] = None
        about = {"part_size": self.api.part_size, "part_count": plan(self.api, video).count}
        parts = [{"number": number, "size": part.size, "etag": f'"{part.md5}"'} for number, part in stored.items()]
        state = {"checksums": video["checksums"], "parts": parts, "missing": missing(self.api, video)}
        self.answer(200, {"video_id": video["video_id"], **about, **state})

    def _is_all_there(self, video: Video) -> bool:
        """Answers when not."""
        if video["file_size"] > self.api.threshold:
            numbers = missing(self.api, video)
            if numbers:
                self.problem(409, "PARTS_MISSING", f"{len(numbers)} parts are missing.", numbers=numbers)
            return not numbers
        stored = self.api.storage.objects.get(video["video_id"])
        if stored is None:
            self.problem(409, "OBJECT_MISSING", "Nothing has arrived.")
        elif stored.size != video["file_size"]:
            self.problem(409, "SIZE_MISMATCH", "The stored file has another size than announced.")
            return False
        return stored is not None
