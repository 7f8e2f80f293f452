"""Object storage: where videos and everything made of them lie."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

from biblio.ports.engine import Engine

if TYPE_CHECKING:
    from biblio.ports.inventory import Inventory
    from biblio.ports.multipart import MultipartUploads


@dataclass(frozen=True)
class SignedRequest:
    """A request anybody may make until `expires_at` (UTC), sending exactly `headers`."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True)
class StoredObject:
    """`size` is in bytes; `etag` is to be handed back as it is (S3 puts it in quotes, Google's is a generation)."""

    key: str
    size: int
    etag: str
    content_type: str


class Storage(Engine, Protocol):
    """- a signed upload takes the stated size and type only, and only until it expires
    - a signed upload takes the bytes of its sha256 only
    - a signed upload never replaces an object
    - a signed download gives the object and ranges of it under its file name, and only until it expires
    - what was written is read back byte for byte
    - a write that breaks off leaves what was there
    - a ranged read gives exactly the asked bytes
    - a read pinned to an etag refuses other bytes
    - a missing object is not found
    - removing a prefix removes all below it and nothing beside it, and may be repeated
    - removing a key removes what lies at it and nothing beside it
    - an empty prefix is refused
    - preparing may be repeated, and by many at once

    Every method also raises `Unavailable`, `RateLimited`, `Rejected` and `Misconfigured`.
    """

    bucket: str
    multipart: "MultipartUploads"
    inventory: "Inventory"

    def sign_upload(
        self, key: str, *, size: int, content_type: str, seconds: int, sha256: str | None = None
    ) -> SignedRequest:
        """Permission to PUT one object of exactly `size` bytes, `content_type` and the SHA-256 `sha256` (hex), if
        there is none yet: storage answers 412 where there is."""

    def sign_download(self, key: str, *, file_name: str, content_type: str, seconds: int) -> SignedRequest:
        """Permission to GET one object, ranges included, named `file_name` when saved. `content_type` is the one it was
        stored with: of another, not every storage lets itself be told."""

    def stat(self, key: str) -> StoredObject:
        """Raises `NotFound`."""

    def read(
        self, key: str, *, start: int = 0, end: int | None = None, etag: str | None = None
    ) -> Generator[bytes, None, None]:
        """Bytes `start` up to but not including `end` (or the last), in pieces of at most 1 MiB.

        Storage is first asked when the first piece is. Raises `NotFound`; `Conflict` (code OBJECT_CHANGED) when the
        object's etag is not `etag`; `InvalidInput` (code RANGE_OUTSIDE_OBJECT) when nothing lies in the range;
        `Unavailable` rather than end early. Closing the iterator ends the transfer.
        """

    def write(self, key: str, content: BinaryIO, *, content_type: str) -> StoredObject:
        """Store everything from the stream's position on, replacing what was there at once or not at all."""

    def remove(self, prefix: str) -> int:
        """Remove every object and unfinished upload below `prefix`, which ends in '/'; without that it is a key, and
        only what lies at it is removed. How many objects there were."""
