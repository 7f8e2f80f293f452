"""The file that is sent: read by position, piece by piece, by several threads, and watched for changes."""

import hashlib
import os
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from biblio.errors import Conflict

PIECE = 256 * 1024
"""Bytes read and sent at a time: all that a part of any size takes of the memory, and the grain of the progress."""


class Stopped(Exception):
    """The upload has ended while a thread still worked for it. Nobody waits for what that thread would do."""


@dataclass(frozen=True)
class Span:
    """Bytes `start` up to `start + length` of the file; `number` is its name, from 1."""

    number: int
    start: int
    length: int


class Source:
    """The file at `path`, open as long as it is used as a context manager. Safe to share between threads.

    Raises `OSError` when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._lock = threading.Lock()
        self._begun = self._state()
        self.size = self._begun[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._file.close()

    @property
    def changed_at(self) -> datetime:
        return datetime.fromtimestamp(self._begun[1] / 1e9, UTC)

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        """Raises `Conflict` (FILE_CHANGED) as soon as the file is another than when it was opened."""
        end = start + length
        while start < end:
            piece = self._read(start, min(PIECE, end - start))
            if not piece:
                raise _changed()
            yield piece
            start += len(piece)
        self.check()

    def sha256(self, span: Span) -> str:
        """In hex. Raises as `pieces`."""
        digest = hashlib.sha256()
        for piece in self.pieces(span.start, span.length):
            digest.update(piece)
        return digest.hexdigest()

    def md5(self, span: Span) -> str:
        """In hex: what S3 calls a part by."""
        digest = hashlib.md5(usedforsecurity=False)
        for piece in self.pieces(span.start, span.length):
            digest.update(piece)
        return digest.hexdigest()

    def check_same(self, span: Span, sha256: str | None) -> None:
        """Raises `Conflict` (FILE_CHANGED) when the bytes of `span` are no longer those of `sha256`."""
        if sha256 is not None and self.sha256(span) != sha256:
            raise _changed()

    def check(self) -> None:
        with self._lock:
            self._check()

    def _read(self, start: int, length: int) -> bytes:
        with self._lock:  # and not os.pread, which Windows lacks; a disk reads one thing at a time anyway
            self._check()
            self._file.seek(start)
            return self._file.read(length)

    def _check(self) -> None:
        if self._file.closed:
            raise Stopped
        if self._state() != self._begun:
            raise _changed()

    def _state(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns


def file_name_of(path: Path) -> str:
    """The file's name as Unicode has it: macOS hands out Korean in pieces, and Linux names may hold any bytes."""
    return unicodedata.normalize("NFC", os.fsencode(path.name).decode("utf-8", "replace"))


def _changed() -> Conflict:
    message = "The file changed while it was sent. Wait until it is complete, then try again."
    return Conflict(message, code="FILE_CHANGED")
