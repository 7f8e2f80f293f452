"""An API on real engines without workers, with settings of one's own."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn

from biblio.bootstrap import build, engines
from biblio.entrypoints.api.app import create_app
from biblio.entrypoints.api.sockets import SERVER_OPTIONS
from biblio.pipeline.services import Services
from biblio.settings import read_settings

MIB = 1024**2
SECRET = "the-secret-that-storage-shares"


@dataclass(frozen=True)
class Api:
    """`http` speaks as a user of its own; `services` are those of another process, as a worker's are."""

    http: httpx.Client
    services: Services
    user_id: str

    def stranger(self) -> httpx.Client:
        return _client(str(self.http.base_url), _new_user(self.services)[1])


@contextmanager
def running_api(addresses: Mapping[str, str], **settings: str) -> Iterator[Api]:
    """`settings` as in the environment, without their BIBLIO_. The API's own page may upload, as with `biblio up`."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    settings = {"PAGE_ORIGINS": url, **settings}
    chosen = read_settings({f"BIBLIO_{name}": value for name, value in settings.items()}, defaults=addresses)
    services = build(chosen)
    services.catalog.prepare()
    services.storage.prepare()
    config = uvicorn.Config(create_app(chosen), log_config=None, access_log=False, **SERVER_OPTIONS)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        user_id, key = _new_user(services)
        with _client(url, key) as http:
            yield Api(http, services, user_id)
    finally:
        server.should_exit = True
        thread.join()
        for engine in engines(services).values():
            engine.close()


@pytest.fixture(scope="module")
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    settings = {"MULTIPART_THRESHOLD": str(9 * MIB), "REQUEST_RATE": "10000", "EVENT_SECRET": SECRET}
    with running_api(addresses, **settings) as api:
        yield api


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def _new_user(services: Services) -> tuple[str, str]:
    key = uuid4().hex
    with services.catalog.transaction() as tx:
        user_id = tx.users.add(f"user {key}")
        tx.users.give_key(user_id, key)
    return user_id, key


def log_of(services: Services, user_id: str, after: int = 0, video_id: str | None = None) -> list[dict[str, Any]]:
    """The event log itself, in the API's words."""
    with services.catalog.transaction() as tx:
        events = tx.events.after(user_id, after, limit=1_000_000, video_id=video_id)
    return [
        {
            "video_id": event.video_id,
            "status": event.status.value,
            "progress": event.progress,
            "step": event.step.value if event.step else None,
            "error": event.failure.as_json() if event.failure else None,
            "updated_at": event.at.isoformat().replace("+00:00", "Z"),
            "event_id": event.id,
            "kind": event.kind,
            "detail": event.detail,
        }
        for event in events
    ]
