"""Objects that arrive in parts: begun, filled in any order and by anybody who was given a signed part, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from biblio.ports.storage import SignedRequest, StoredObject


@dataclass(frozen=True)
class StoredPart:
    """A part that has arrived whole. `size` is in bytes; `etag` is to be handed back as it is, and so is `sha256`
    (hex; None where storage does not tell it, which says nothing about whether it checked it)."""

    number: int
    size: int
    etag: str
    sha256: str | None = None


class MultipartUploads(Protocol):
    """- parts in any order become one object byte for byte
    - a signed part takes the stated size only, and only until it expires
    - a signed part takes the bytes of its sha256 only
    - a part sent again replaces the first
    - parts are listed as they are stored, past a page too
    - an upload that ended is not found
    - completing takes the listed parts only
    - completing again and at once ends in the same object or is not found
    - an aborted upload leaves nothing, and may be aborted again
    - an unfinished upload is no object
    - clearing a prefix aborts every upload below it and touches no object

    Every method also raises `Unavailable`, `RateLimited`, `Rejected` and `Misconfigured`.
    """

    def begin(self, key: str, *, content_type: str, checksums: bool) -> str:
        """The id of a new upload. With `checksums`, every part of it is signed with its sha256; without, none is."""

    def sign_part(
        self, key: str, upload_id: str, number: int, *, size: int, seconds: int, sha256: str | None = None
    ) -> SignedRequest:
        """Permission to PUT part `number` (1 to 10,000) of exactly `size` bytes and the SHA-256 `sha256` (hex)."""

    def parts(self, key: str, upload_id: str) -> Sequence[StoredPart]:
        """Every part that has arrived, by number. Raises `NotFound` when the upload has ended or never was.

        Of a part that was sent again the last counts; of two that came within the same second, either may be listed.
        """

    def complete(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> StoredObject:
        """Put the object together of exactly these parts: whether they are all there should be, the caller checks.

        Raises `Conflict` (code PARTS_CHANGED) when a part is not what was listed, or when the object that is there
        now is not what these parts make. Raises `NotFound` when the upload has ended: where somebody else completed it,
        the object is there. A part sent meanwhile is never half in: it is refused, not part of the object, or makes a
        `Conflict`.
        """

    def abort(self, key: str, upload_id: str) -> None:
        """Throw away an upload and its parts; one that has ended already is no error."""

    def clear(self, prefix: str) -> None:
        """Throw away every unfinished upload below `prefix` (or at a key, as `Storage.remove`), and no object."""
