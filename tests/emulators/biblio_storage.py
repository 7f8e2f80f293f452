"""The object storage behind biblio's signed addresses: single PUTs and parts. Keeps digests instead of bytes."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from tests.emulators.faults import CUT, DROP, LOSE, Fault, FaultyServer, Handler

PIECE = 256 * 1024


@dataclass(frozen=True)
class Stored:
    size: int
    sha256: str
    md5: str = field(default="", compare=False)


@dataclass
class Transfer:
    """A PUT that was begun. `number` is 0 for a whole file; times in monotonic seconds: of its first and last byte."""

    key: str
    number: int
    asked: float
    received: int = 0
    ended: float = 0.0
    is_stored: bool = False


class StorageEmulator(FaultyServer):
    """`parts` has an entry for each upload in parts that is open, by key and number."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(_Handler, faults)
        self.objects: dict[str, Stored] = {}
        self.parts: dict[str, dict[int, Stored]] = {}
        self.transfers: list[Transfer] = []
        self.headers: dict[str, str] = {}

    def sent(self, key: str) -> dict[int, int]:
        """How often each number was begun to be sent."""
        numbers = [transfer.number for transfer in self.transfers if transfer.key == key]
        return {number: numbers.count(number) for number in sorted(set(numbers))}

    def sign(self, key: str, number: int, headers: dict[str, str], expires: float) -> dict[str, Any]:
        """`expires` in seconds of the epoch."""
        place = f"{key}/{number}" if number else key
        url = f"{self.url}/storage/{place}?X-Expires={expires}&X-Amz-Signature=s3cr3t"
        return {"method": "PUT", "url": url, "headers": headers}


class _Handler(Handler):
    @property
    def storage(self) -> StorageEmulator:
        return cast(StorageEmulator, self.server)

    def do_PUT(self) -> None:
        parts, asked = urlsplit(self.path), time.monotonic()
        fault = self.storage.fault_for(f"PUT {parts.path}")
        self.storage.headers = dict(self.headers.items())
        if fault and fault.status == DROP:
            self.close_connection = True
        elif time.time() >= float(parse_qs(parts.query)["X-Expires"][0]):
            self._refuse_expired()
        else:
            _, _, key, *number = parts.path.split("/")
            self._receive(Transfer(key, int(number[0]) if number else 0, asked), fault)

    def _receive(self, transfer: Transfer, fault: Fault | None) -> None:
        with self.storage.lock:
            self.storage.transfers.append(transfer)
        length = int(self.headers["Content-Length"])
        is_cut = fault is not None and fault.status == CUT
        wanted = length if not (fault and is_cut) else length // 2 if fault.after is None else fault.after
        digest, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        while transfer.received < wanted:
            piece = self.rfile.read(min(PIECE, wanted - transfer.received))
            if not piece:
                return
            digest.update(piece)
            md5.update(piece)
            transfer.received += len(piece)
        transfer.ended = time.monotonic()
        self.losing = fault is not None and fault.status == LOSE
        if is_cut:
            self.close_connection = True
        elif fault and fault.status != LOSE:
            self._refuse(fault.status, fault.reason, fault.headers)
        else:
            self._store(transfer, Stored(length, digest.hexdigest(), md5.hexdigest()))

    def _store(self, transfer: Transfer, stored: Stored) -> None:
        announced = self.headers["x-amz-checksum-sha256"]
        with self.storage.lock:
            if announced and base64.b64decode(announced).hex() != stored.sha256:
                self._refuse(400, "BadDigest")
            elif transfer.number and transfer.key not in self.storage.parts:
                self._refuse(404, "NoSuchUpload")
            elif not transfer.number and transfer.key in self.storage.objects and self.headers["If-None-Match"] == "*":
                self._refuse(412, "PreconditionFailed")
            else:
                transfer.is_stored = True
                if transfer.number:
                    self.storage.parts[transfer.key][transfer.number] = stored
                else:
                    self.storage.objects[transfer.key] = stored
                self.send(200, b"", "application/xml", {"ETag": f'"{stored.md5}"'})

    def _refuse_expired(self) -> None:
        self.close_connection = True  # the body is not read
        body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        self.send(403, body, "application/xml")

    def _refuse(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        self.send(status, f"<Error><Code>{reason}</Code></Error>".encode(), "application/xml", headers)
