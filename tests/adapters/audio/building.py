"""Ways to an extractor, and programs that stand where ffmpeg should."""

import shutil
import stat
from pathlib import Path

from biblio.adapters.audio.ffmpeg import connect
from biblio.dsn import Dsn
from biblio.ports.audio import AudioExtractor


def extractor_with(**options: object) -> AudioExtractor:
    return connect(Dsn("ffmpeg", options={name: str(value) for name, value in options.items()}))


def program(folder: Path, script: str) -> str:
    """A shell script in a folder of its own below `folder`, with a shell where the cage lets it find one."""
    for name in ("bin", "lib"):
        (folder / name).mkdir()
    shell, path = folder / "lib" / "sh", folder / "bin" / "ffmpeg"
    shutil.copy("/bin/sh", shell)
    path.write_text(f"#!{shell}\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
