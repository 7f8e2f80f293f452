"""Which ffmpeg is used, and whether it can do what is asked of it."""

import shutil
import subprocess
from importlib import resources
from importlib.util import find_spec

from biblio.adapters.audio.sandbox import ENVIRONMENT, caged
from biblio.errors import Misconfigured, Unavailable

ENCODERS = ("libmp3lame", "flac")
CURE = (
    "Install it (Debian: apt-get install ffmpeg; anywhere: pip install imageio-ffmpeg) or give ffmpeg://?binary=/path."
)


def find_ffmpeg(wanted: str) -> str:
    """The full path of `wanted` (a path or name), else of the one in `imageio-ffmpeg`, else of the one on PATH.

    The bundled one first: it is pinned, so a film gives the same samples on every machine (docs/decisions/0009).
    Raises `Misconfigured` with code MISSING_FFMPEG.
    """
    found = shutil.which(wanted) if wanted else _bundled() or shutil.which("ffmpeg")
    if found is None:
        raise Misconfigured(f"There is no program '{wanted or 'ffmpeg'}'. {CURE}", code="MISSING_FFMPEG")
    return found


def check_ffmpeg(binary: str) -> None:
    """Run it once. Raises `Misconfigured` when it cannot write the sounds, `Unavailable` when it does not answer."""
    listed = _ask(binary, "-encoders").split()
    missing = [name for name in ENCODERS if name not in listed]
    if missing:
        raise Misconfigured(f"{binary} was built without {' and '.join(missing)}. {CURE}", code="MISSING_FFMPEG")


def _ask(binary: str, question: str) -> str:
    command = caged([binary, "-hide_banner", "-nostdin", question], {}, listen=False)
    try:
        return subprocess.run(
            command,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{binary} did not answer within 20 s.") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise Misconfigured(f"{binary} cannot be run. {CURE}", code="MISSING_FFMPEG") from error


def _bundled() -> str | None:
    # Not `imageio_ffmpeg.get_ffmpeg_exe()`: it obeys an environment variable of its own and runs what it finds there.
    if find_spec("imageio_ffmpeg") is None:
        return None
    folder = resources.files("imageio_ffmpeg") / "binaries"
    found = sorted(str(file) for file in folder.iterdir() if file.name.startswith("ffmpeg-"))
    return found[-1] if found else None
