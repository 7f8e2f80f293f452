"""No credential and no signed address shows where others may look: in logs, answers, events, arguments of processes, or
the environment of programs that biblio starts."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest

from biblio.dsn import Dsn
from biblio.errors import BiblioError
from biblio.local.sample import TALK
from tests.conftest import Server
from tests.database import look_into
from tests.e2e.test_road import make

SIGNED = ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token")
WRONG_KEY = "a-key-that-nobody-has-4711"
QUESTION = "what-nobody-else-should-know"
PATIENCE = 120.0


def secrets_of(server: Server) -> set[str]:
    """Every secret of a local library, as it is and as it stands in an address."""
    found = {server.key, server.folder.api_key.read_text().strip()}
    found |= {path.read_text().strip() for path in server.folder.secrets.iterdir()}
    for address in server.addresses.values():
        try:
            found.add(Dsn.parse(address).password or "")
        except BiblioError:  # not everything that is handed on with the addresses is one
            found.add(address)
    found.discard("")
    return found | {quote(secret, safe="") for secret in found}


@dataclass
class Watch:
    """What the system shows of the library's processes, looked at again and again, as they come and go."""

    commands: set[str] = field(default_factory=set)
    environments: dict[str, set[str]] = field(default_factory=dict)
    """By the name of the program, without those that are biblio itself: that one is told by its environment."""

    def look(self, root: psutil.Process) -> None:
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.Error, OSError):
                self.commands.add(" ".join(process.cmdline()))
                if not _is_biblio(process):
                    told = {f"{name}={value}" for name, value in process.environ().items()}
                    self.environments.setdefault(process.name(), set()).update(told)


def _is_biblio(process: psutil.Process) -> bool:
    words = process.cmdline()
    return "biblio" in words and "-m" in words


@pytest.fixture(scope="module")
def watch(server: Server) -> Iterator[Watch]:
    watch, over = Watch(), threading.Event()
    root = psutil.Process(int((server.folder.run / "supervisord.pid").read_text()))

    def go_on() -> None:
        while not over.wait(0.05):
            watch.look(root)

    thread = threading.Thread(target=go_on)
    thread.start()
    yield watch
    over.set()
    thread.join()


@pytest.fixture(scope="module")
def answers(server: Server, watch: Watch, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of much that goes well and much that goes wrong; those whose purpose is a signed address are left out."""
    texts: list[str] = []
    home = tmp_path_factory.mktemp("secrets")
    broken = home / "broken.mp4"
    broken.write_bytes(TALK.read_bytes()[:100_000])
    long = make(home / "an-hour.mp4", "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3600")
    with server.client() as client, _http(server, server.key) as http, _http(server, WRONG_KEY) as stranger:
        ids = [client.upload(film)["video_id"] for film in (TALK, broken, long)]
        canceled = http.post("/api/videos", json={"file_name": "a.mp4", "file_size": 10_000}).json()
        texts.append(http.delete(f"/api/videos/{canceled['video_id']}/upload").text)
        _send_wrongly(canceled["upload"])
        for video_id in ids:
            with suppress(BiblioError):
                client.wait(video_id, lambda _status: None)
            for path in ("", "/status", "/transcript", "/nothing"):
                texts.append(http.get(f"/api/videos/{video_id}{path}").text)
            texts += [http.get("/api/search", params={"q": QUESTION}).text, http.get("/api/usage").text]
            texts += [stranger.get(f"/api/videos/{video_id}").text, http.post(f"/api/videos/{video_id}/cancel").text]
        texts.append(http.post(f"/api/videos/{ids[0]}/reprocess", json={"step": "nonsense"}).text)
        texts += [http.get(path).text for path in ("/healthz", "/readyz", "/metrics", "/api/openapi.json")]
        texts.append(http.delete(f"/api/videos/{ids[1]}").text)
        texts.append(http.get("/api/videos", params={"api_key": server.key}).text)
    time.sleep(3)  # the sweep and the end of the deletion
    return texts


def _http(server: Server, key: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def _send_wrongly(upload: dict[str, Any]) -> None:
    """Storage refuses it, and may write down why."""
    assert httpx.put(upload["url"], content=b"too short", headers=upload["headers"]).status_code >= 400


def leaks(texts: Iterator[tuple[str, str]] | list[tuple[str, str]], forbidden: set[str]) -> set[tuple[str, str]]:
    """Where something stands that should not: the place, and the first letters of it."""
    return {(place, word[:6]) for place, text in texts for word in forbidden if word in text}


@pytest.fixture(scope="module")
def forbidden(server: Server) -> set[str]:
    return {*secrets_of(server), *SIGNED}


def test_logs(server: Server, answers: list[str], forbidden: set[str]) -> None:
    texts = [(log.name, log.read_text(errors="replace")) for log in server.folder.logs.iterdir()]
    assert {"api.log", "media-worker.log", "ai-worker.log", "index-worker.log", "postgres.log"} <= dict(texts).keys()
    ours = [(name, text) for name, text in texts if name.startswith(("api", "media", "ai", "index"))]
    assert leaks(texts, forbidden) == set()
    assert leaks(ours, {WRONG_KEY, QUESTION}) == set()


def test_answers_and_errors(answers: list[str], forbidden: set[str]) -> None:
    assert len(answers) > 15
    assert any("problem" in text or '"code"' in text for text in answers)
    assert leaks([(text[:40], text) for text in answers], {*forbidden, WRONG_KEY}) == set()


def test_everything_the_catalog_keeps(server: Server, answers: list[str], forbidden: set[str]) -> None:
    """Events and failures are shown to users and to whoever reads the database: keys are kept as digests only."""
    with look_into(server.addresses["BIBLIO_DATABASE"]) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [
            (name, row)
            for (name,) in names
            if name != "answers"  # an answer given once is given again, signed address and all, to its user alone
            for (row,) in connection.execute(f'SELECT t::text FROM "{name}" AS t'.encode())
        ]
    assert {"video_events", "jobs", "videos"} <= {name for name, _ in rows}
    assert leaks(rows, forbidden) == set()


def test_arguments_of_processes(watch: Watch, answers: list[str], forbidden: set[str]) -> None:
    commands = sorted(watch.commands)
    for program in ("ffmpeg", "weed", "valkey", "postgres", "biblio worker", "biblio api"):
        assert any(program in command for command in commands), program
    assert leaks([(command[:60], command) for command in commands], forbidden) == set()


def test_environments_of_the_programs_that_biblio_starts(watch: Watch, answers: list[str], forbidden: set[str]) -> None:
    """biblio's own processes get their addresses by their environment, which the system shows to their user alone."""
    assert any("ffmpeg" in name for name in watch.environments), watch.environments.keys()
    assert {"weed"} <= watch.environments.keys()
    told = [(name, text) for name, texts in watch.environments.items() for text in texts]
    assert leaks(told, forbidden) == set()
    assert [text for name, text in told if "ffmpeg" in name and text.startswith(("BIBLIO_", "AWS_", "OTEL_"))] == []
