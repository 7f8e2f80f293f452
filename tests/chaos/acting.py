"""Films that are stage directions, and an audio extractor that follows them: work of a known length, or death."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from biblio.ports.audio import Sound, Source
from tests.chaos.place import BEGINNING


@dataclass(frozen=True)
class Act:
    """`seconds` of work, in which it `reports` or not; `deaths`: how often its process dies at the end of them."""

    name: str
    seconds: float = 0.0
    reports: bool = True
    deaths: int = 0

    def film(self) -> bytes:
        return BEGINNING + json.dumps(asdict(self)).encode()


class Stage:
    """Where acts are performed; what begins and ends there is written into `book`, by many processes at once."""

    def __init__(self, book: Path) -> None:
        self._book = book

    def prepare(self) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def shortcomings(self) -> list[str]:
        return []

    def extract(self, source: Source, folder: Path, on_progress: Callable[[float], None]) -> Sound:
        act = Act(**json.loads(b"".join(source.read(len(BEGINNING)))))
        before = len(self.read("begins", act.name))
        self._write("begins", act)
        sound = Sound(folder / "a.mp3", folder / "a.flac", 1.0)
        sound.listening.write_bytes(b"mp3")
        sound.speech.write_bytes(b"flac")
        self._last(act, on_progress)
        if before < act.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        self._write("ends", act)
        return sound

    def picture(
        self, source: Source, folder: Path, seconds: float, on_progress: Callable[[float], None]
    ) -> Path | None:
        return None

    def read(self, what: str, name: str | None = None) -> list[dict[str, Any]]:
        """What was written: `{what, name, pid, at}`, `at` in seconds of `time.time`."""
        lines = self._book.read_text().splitlines() if self._book.exists() else []
        found = [json.loads(line) for line in lines]
        return [one for one in found if one["what"] == what and name in (None, one["name"])]

    def _last(self, act: Act, on_progress: Callable[[float], None]) -> None:
        until = time.monotonic() + act.seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(0.1, left))
            if act.reports:
                on_progress(1 - left / act.seconds)

    def _write(self, what: str, act: Act) -> None:
        line = {"what": what, "name": act.name, "pid": os.getpid(), "at": time.time()}
        with self._book.open("a") as book:
            book.write(json.dumps(line) + "\n")
