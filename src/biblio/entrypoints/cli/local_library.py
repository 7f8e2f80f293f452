"""A whole biblio on this machine: the embedded engines, the API and the workers of one data folder."""

import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from biblio.bootstrap import build, engines
from biblio.client import Client
from biblio.domain.flow import Queue
from biblio.errors import Unavailable
from biblio.local.folder import DataFolder, write_private
from biblio.local.program import Program
from biblio.local.stack import LocalStack
from biblio.pipeline.sign_in import new_token
from biblio.settings import PREFIX, Settings, read_settings

USER = "local"
ADDRESSES = ("BIBLIO_DATABASE", "BIBLIO_STORAGE", "BIBLIO_QUEUE", "BIBLIO_LIMITER")
_open = build_opener(ProxyHandler({})).open  # loopback is never behind a proxy


class LocalLibrary:
    """Builds the stack of a folder. Once it has started, `is_new` says whether the folder has never served before, and
    `sign_in_link` opens the page and signs one browser in."""

    def __init__(self, folder: DataFolder, settings: Settings, *, port: int | None, say: Callable[[str], None]) -> None:
        self.is_new = False
        self.sign_in_link = ""
        self._folder = folder
        self._origins = settings.page_origins
        self.stack = LocalStack(
            folder,
            port=port,
            programs=self._programs,
            prepare=self._prepare,
            on_event=say,
            given=_given(settings),
            arrivals="/api/storage-events",
        )

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.stack.api_port}"

    def _programs(self, addresses: Mapping[str, str], port: int) -> Sequence[Program]:
        own = f"http://127.0.0.1:{port},http://localhost:{port}"
        self._env = {**addresses, f"{PREFIX}PAGE_ORIGINS": self._origins or own}
        workers = [Program(f"{queue}-worker", _command("worker", "--queue", queue), self._env) for queue in Queue]
        # Started last, and ready when everything is: the API knows which worker lives.
        api = Program("api", _command("api", "--port", str(port)), self._env, ready=lambda: _answers(port, "readyz"))
        return [*workers, api]

    def _prepare(self, _: Mapping[str, str]) -> None:
        # As the programs will see them: the user's engines, then the ones started here.
        services = build(read_settings(defaults=self._env))
        try:
            for engine in engines(services).values():
                engine.prepare()
            with services.catalog.transaction() as tx:
                known = tx.users.id_of(USER)
                self.is_new = known is None
                user_id = known or tx.users.add(USER)
                tx.users.give_key(user_id, self._key())
            self.sign_in_link = sign_in_link(self.page, new_token(services, user_id))
        finally:
            for engine in engines(services).values():
                engine.close()

    def client(self) -> Client:
        """A client of this library, for its own user."""
        return Client(self.page, self._key())

    def _key(self) -> str:
        if not self._folder.api_key.exists():
            write_private(self._folder.api_key, secrets.token_urlsafe(32) + "\n")
        return self._folder.api_key.read_text(encoding="utf-8").strip()


def sign_in_link(page: str, token: str) -> str:
    """In the fragment, which browsers send to nobody: it gets into no log."""
    return f"{page}/#token={token}"


def _given(settings: Settings) -> dict[str, str]:
    """Engines the user points at by address are not started here."""
    known = {name: getattr(settings, name.removeprefix(PREFIX).lower()) for name in ADDRESSES}
    return {name: dsn.text() for name, dsn in known.items() if dsn is not None}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "biblio", *words]


def _answers(port: int, path: str) -> bool:
    try:
        with _open(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def running_settings(folder: DataFolder) -> Settings:
    """The settings of a command run beside `biblio up`: the environment, else the running library's addresses."""
    running = folder.read_addresses()
    settings = read_settings(defaults=running.addresses if running else None)
    if settings.database is None:
        raise Unavailable(
            f"biblio is not running on {folder.path}. Start it with `biblio up`, or set BIBLIO_DATABASE and others.",
            code="SERVER_UNREACHABLE",
        )
    return settings
