"""Two hundred live sockets at one API process cost little: no thread each, no connection to the database each."""

import json
import time
from contextlib import ExitStack

import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from biblio.entrypoints.api.feed import MOST_SOCKETS
from tests.chaos.place import MIB, Place
from tests.chaos.test_socket_drops import User

USERS = 10
MOST_MEMORY = 30 * MIB
MOST_THREADS = 50
"""As many as handlers may take anyhow."""
MOST_CONNECTIONS = 25


@pytest.mark.timeout(600)
def test_two_hundred_sockets(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    users = [User(place) for _ in range(USERS)]
    with place.api() as url, ExitStack() as stack:
        api = next(child for child in psutil.Process().children() if url.rpartition(":")[2] in child.cmdline())
        with opened(url, users[0]) as first, place.http(url) as http:  # what the first one costs is not each one's
            first.recv(60)
            http.get("/api/search?q=x", timeout=300)  # the embedder's weights are read by then
        time.sleep(1)
        memory, threads = api.memory_info().rss, api.num_threads()
        sockets = [stack.enter_context(opened(url, user)) for user in users for _ in range(MOST_SOCKETS)]
        for socket in sockets:
            for _ in users[0].videos:
                socket.recv(30)
        began = time.monotonic()
        for user in users:
            with place.services.catalog.transaction() as tx:
                tx.videos.update(user.videos[0], progress=50)
        for number, socket in enumerate(sockets):
            assert json.loads(socket.recv(30))["video_id"] == users[number // MOST_SOCKETS].videos[0]
        seconds = time.monotonic() - began
        more, most = api.memory_info().rss - memory, api.num_threads()
        with place.sql() as sql:
            (connections,) = sql.execute("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL").fetchone()  # type: ignore[misc]
    with capsys.disabled():
        print(f"\n200 sockets: {more / 1024 / 200:.0f} kB each, {threads} threads before and {most} after,", end=" ")
        print(f"{connections} connections to the database, all told in {seconds:.2f} s")
    assert more < MOST_MEMORY
    assert most <= MOST_THREADS
    assert connections <= MOST_CONNECTIONS


def opened(url: str, user: User) -> ClientConnection:
    return connect(
        url.replace("http", "ws", 1) + "/api/events?after=0",
        additional_headers={"Authorization": f"Bearer {user.key}"},
        proxy=None,
        open_timeout=60,
        close_timeout=1,
        ping_interval=None,
        legacy=True,
    )
