"""The uploads that are under way, and those for which something signed could still be written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Upload:
    """`upload_id` is storage's name of a multipart upload; None before its first part was signed, and for one PUT.

    `checksums`: every part is signed with its sha256; None before the first was. `is_over`: its time is up, by the
    catalog's clock. `is_silent`: nothing that was ever signed for it can still be written.
    """

    video_id: str
    expires_at: datetime
    upload_id: str | None = None
    checksums: bool | None = None
    is_over: bool = False
    is_silent: bool = False


class Uploads(Protocol):
    """- an upload reads back as it was added
    - a multipart upload is begun once
    - an upload is over when its time is up
    - an upload is silent a while after its last signature expired
    - nothing is signed for a video that is gone
    - due uploads are looked at by one sweep at a time, seldom where nothing moves
    - a forgotten upload is gone
    """

    def add(self, video_id: str, *, seconds: float) -> Upload:
        """An upload that may go on for `seconds` from now."""

    def get(self, video_id: str) -> Upload:
        """Raises `NotFound`."""

    def begun(self, video_id: str, upload_id: str | None, *, checksums: bool | None, instead_of: str | None) -> bool:
        """Keep storage's id of the upload, but only while it is `instead_of`. Whether it was."""

    def signed(self, video_ids: Collection[str], *, seconds: float) -> None:
        """Something that lives for `seconds` was signed: these uploads are alive, and not silent before.

        One that was forgotten is remembered again, as one whose time is up. Raises `NotFound`.
        """

    def due(self, *, limit: int) -> Sequence[Upload]:
        """Uploads to look at now; each is not due again for 2 to 60 s, the longer the less it moves."""

    def forget(self, video_id: str, *, when_silent: bool) -> None:
        """Look at it no more; or, with `when_silent`, once again when it is silent."""
