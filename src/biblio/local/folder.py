"""The data folder: everything a local biblio keeps, for nobody else to read."""

import fcntl
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from platformdirs import user_data_dir

from biblio.errors import Conflict, Misconfigured

LOCK_PATIENCE = 1.0  # seconds; another command asking "is it running?" holds the lock for an instant


def default_folder() -> Path:
    return Path(user_data_dir("biblio"))


@dataclass(frozen=True)
class Running:
    """The local server of a folder. `addresses`: setting name to address; `page` is "" when only engines run."""

    pid: int
    page: str
    addresses: Mapping[str, str]


def write_private(path: Path, text: str) -> None:
    """Replaces `path` in one step; mode 0600 from its first moment (mkstemp gives no other)."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class DataFolder:
    """Names of everything inside a data folder. Nothing is created before `create`, `lock` or `secret` is called."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path).expanduser().resolve()
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.secrets = self.path / "secrets"
        self.postgres = self.path / "postgres"
        self.valkey = self.path / "valkey"
        self.seaweedfs = self.path / "seaweedfs"
        self.api_key = self.path / "api-key"
        self._lock = self.run / "lock"
        self._addresses = self.run / "addresses.json"

    def create(self) -> None:
        """Mode 0700 on the folder itself, no mode changed above it. Raises `Misconfigured` for a folder not ours."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_foreign()
            self.path.chmod(0o700)
            for part in (self.logs, self.run, self.secrets):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"The data folder {self.path} cannot be used: {error.strerror}.") from error

    def _refuse_foreign(self) -> None:
        # chmod 0700 on a folder that holds something else would lock its other users out.
        if self.path.stat().st_uid != os.geteuid():
            raise Misconfigured(f"The data folder {self.path} belongs to another user.")
        names = {entry.name for entry in self.path.iterdir() if not entry.name.startswith(".")} - {"lost+found"}
        if names and not self.secrets.is_dir():
            raise Misconfigured(f"The folder {self.path} holds other files; give biblio an empty or a new one.")

    def secret(self, name: str) -> str:
        """The secret of that name (43 characters safe in URLs); made at the first call."""
        self.create()
        path = self.secrets / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="utf-8").strip()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while a server runs here; goes with its process. Raises `Conflict` (ALREADY_RUNNING) naming it."""
        self.create()
        with open(self._lock, "a+", encoding="utf-8", opener=open_private) as file:
            if not _try_lock(file, LOCK_PATIENCE):
                raise self._already_running()
            self._addresses.unlink(missing_ok=True)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                self._addresses.unlink(missing_ok=True)

    def _already_running(self) -> Conflict:
        other = self.read_addresses()
        pid = other.pid if other else self._lock.read_text(encoding="utf-8") or "unknown"
        where = f"its page is {other.page}" if other and other.page else "it has no page yet"
        return Conflict(
            f"biblio already runs on {self.path} (process {pid}, {where}). Stop it first, or use another data folder.",
            code="ALREADY_RUNNING",
        )

    def write_addresses(self, addresses: Mapping[str, str], page: str) -> None:
        running = Running(os.getpid(), page, dict(addresses))
        write_private(self._addresses, json.dumps(asdict(running), indent=1))

    def read_addresses(self) -> Running | None:
        """The server that runs on this folder and is ready; None when there is none."""
        try:
            with open(self._lock, encoding="utf-8") as file:
                if _try_lock(file, 0):
                    return None
            return Running(**json.loads(self._addresses.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None


def open_private(path: str, flags: int) -> int:
    """An `opener` for `open`: what it makes has mode 0600."""
    return os.open(path, flags, 0o600)


def _try_lock(file: IO[str], patience: float) -> bool:
    """The lock goes with the open file, which no child inherits."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
