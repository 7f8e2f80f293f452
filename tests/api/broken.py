"""An API whose engines are not all there."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from biblio.entrypoints.api.app import create_app
from biblio.settings import read_settings


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield door.getsockname()[1]


@contextmanager
def broken_api(addresses: Mapping[str, str], **changed: str) -> Iterator[str]:
    """Its address. `changed` are addresses of engines that are elsewhere, or nowhere; nothing is prepared there."""
    settings = read_settings({f"BIBLIO_{name}": value for name, value in changed.items()}, defaults=addresses)
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
