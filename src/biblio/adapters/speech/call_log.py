"""What a pretended paid service was called for, so that a test can count calls across crashes and processes."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CallLog:
    """A JSON line when a piece is begun and one when it is done; None writes nothing.

    `{"event": "begin" or "done", "audio": sha1 of the sound, "start", "end": the piece in seconds, "pid", "time"}`
    """

    def __init__(self, path: Path | None, audio: Path) -> None:
        self._path = path
        self._audio = _sha1(audio) if path else ""

    @contextmanager
    def call(self, start: float, end: float) -> Iterator[None]:
        self._write("begin", start, end)
        yield
        self._write("done", start, end)

    def _write(self, event: str, start: float, end: float) -> None:
        """One write in append mode: lines of many processes never mix, and a killed one leaves no half line."""
        if self._path is None:
            return
        facts = {"event": event, "audio": self._audio, "start": start, "end": end, "pid": os.getpid()}
        line = json.dumps({**facts, "time": time.time()}) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def _sha1(audio: Path) -> str:
    with audio.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()
