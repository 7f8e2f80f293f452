"""A file that goes to storage by one PUT."""

from typing import TYPE_CHECKING

from biblio.client.models import SignedPut
from biblio.client.source import Source, Span
from biblio.client.waiting import patiently
from biblio.errors import Conflict, Rejected

if TYPE_CHECKING:
    from biblio.client.client import Client


class Whole:
    """A `Way` with one span. `target` is the address that came with the upload, `sha256` (hex) the file's, if known."""

    def __init__(self, client: "Client", video_id: str, target: SignedPut, source: Source, sha256: str | None) -> None:
        self._client, self._video_id, self._source, self._sha256 = client, video_id, source, sha256
        self._target: SignedPut | None = target

    def missing(self) -> list[int]:
        return [1]

    def span(self, number: int) -> Span:
        return Span(number, 0, self._source.size)

    def permit(self, number: int) -> SignedPut:  # noqa: ARG002 (there is one)
        target, self._target = self._target, None
        return target or self._fresh()

    def check_digest(self, number: int) -> None:
        self._source.check_same(self.span(number), self._sha256)

    def _fresh(self) -> SignedPut:
        video = patiently(lambda: self._client.video(self._video_id))
        upload = video["upload"]
        if upload is None:
            raise Conflict(f"The upload is over: the video is {video['status']}.", code="ALREADY_UPLOADED")
        if upload["method"] != "PUT":
            raise Rejected("The server changed how the file is to be sent. Try again.", code="UPLOAD_REJECTED")
        return upload
