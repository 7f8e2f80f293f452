"""Ways to an extractor, and programs that stand where ffmpeg should."""

import stat
from pathlib import Path

from biblio.adapters.audio.ffmpeg import connect
from biblio.dsn import Dsn
from biblio.ports.audio import AudioExtractor


def extractor_with(**options: object) -> AudioExtractor:
    return connect(Dsn("ffmpeg", options={name: str(value) for name, value in options.items()}))


def program(path: Path, script: str) -> str:
    """A shell script at `path` that can be run."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
