"""A file that goes to storage in parts, each with an address of its own."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from biblio.client.models import SignedPut, StoredPart
from biblio.client.source import Source, Span
from biblio.client.waiting import patiently
from biblio.domain.parts import MIB, PartPlan

if TYPE_CHECKING:
    from biblio.client.client import Client

GROUP, GROUP_BYTES = 8, 64 * MIB
"""Parts and bytes whose addresses are asked for at a time: few calls, and yet no address gets old while it waits. Their
bytes are read once for their checksums before the first of them is sent."""

MARGIN = timedelta(seconds=10)
"""An address that is this close to its end is not used any more."""


class Parts:
    """A `Way` in parts of `part_size` bytes. Safe to share between threads.

    Without `trust`, parts that lie in storage already are compared with the file first.
    """

    def __init__(self, client: "Client", video_id: str, part_size: int, source: Source, *, trust: bool = True) -> None:
        self._client, self._video_id, self._source = client, video_id, source
        self._plan = PartPlan(source.size, part_size)
        self._group = max(1, min(GROUP, GROUP_BYTES // part_size))
        self._checksums = True
        self._coming: dict[int, None] = {}
        self._permits: dict[int, SignedPut] = {}
        self._sha256: dict[int, str] = {}
        self._trust = trust
        self._lock = threading.Lock()

    def missing(self) -> list[int]:
        stored = patiently(lambda: self._client.upload_parts(self._video_id))
        others = [] if self._trust else [part["number"] for part in stored["parts"] if self._is_another(part)]
        self._trust = True
        missing = sorted({*stored["missing"], *others})
        with self._lock:
            self._permits.clear()
            self._sha256.clear()
            self._coming = dict.fromkeys(missing)
            self._checksums = stored["checksums"] is not False
        return missing

    def _is_another(self, part: StoredPart) -> bool:
        """Whether the part in storage is not the file's. Where storage does not call it by its MD5, it may be."""
        return self._source.md5(self.span(part["number"])) != part["etag"].strip('"')

    def span(self, number: int) -> Span:
        return Span(number, (number - 1) * self._plan.part_size, self._plan.length(number))

    def permit(self, number: int) -> SignedPut:
        with self._lock:
            self._coming.pop(number, None)
            permit = self._permits.pop(number, None)
            if permit is None or _is_old(permit):
                self._sign(number)
                permit = self._permits.pop(number)  # even if it looks old: clocks differ, and storage decides
            return permit

    def check_digest(self, number: int) -> None:
        self._source.check_same(self.span(number), self._sha256.get(number))

    def _sign(self, number: int) -> None:
        waiting = (coming for coming in self._coming if coming not in self._permits)
        numbers = [number, *islice(waiting, self._group - 1)]
        sha256 = self._digests(numbers) if self._checksums else None
        for part in patiently(lambda: self._client.sign_parts(self._video_id, numbers, sha256)):
            self._permits[part["number"]] = part

    def _digests(self, numbers: Iterable[int]) -> dict[int, str]:
        for number in numbers:
            if number not in self._sha256:
                self._sha256[number] = self._source.sha256(self.span(number))
        return {number: self._sha256[number] for number in numbers}


def _is_old(permit: SignedPut) -> bool:
    return datetime.now(UTC) >= datetime.fromisoformat(permit["expires_at"]) - MARGIN
