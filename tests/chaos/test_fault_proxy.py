"""The breaking line itself: what it passes, counts and breaks is what was ordered."""

import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from tests.chaos.fault_proxy import FaultProxy, Link

PATIENCE = 5.0


class Sink:
    """A server that keeps what it is sent, says "ok" to the end of it, and remembers how each connection ended."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ends: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        with connection:
            try:
                while piece := connection.recv(65536):
                    self.received += piece
                connection.sendall(b"ok")
                self.ends.append("closed")
            except ConnectionResetError:
                self.ends.append("reset")

    def ended(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while not self.ends and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.ends[-1]


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def proxy(sink: Sink) -> Iterator[FaultProxy]:
    with FaultProxy(sink.url) as proxy:
        yield proxy


def dial(proxy: FaultProxy) -> socket.socket:
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def send(proxy: FaultProxy, content: bytes) -> bytes:
    """The answer; raises when the line breaks."""
    with dial(proxy) as line:
        line.sendall(content)
        with suppress(OSError):  # already broken; why, the next call says
            line.shutdown(socket.SHUT_WR)
        return line.recv(100)


def test_bytes_pass_and_are_counted(sink: Sink, proxy: FaultProxy) -> None:
    content = random.Random(1).randbytes(3_000_000)
    assert send(proxy, content) == b"ok"
    assert sink.received == content
    assert (proxy.up, proxy.down) == (3_000_000, 2)


def test_a_reset_comes_at_exactly_the_ordered_byte(sink: Sink, proxy: FaultProxy) -> None:
    proxy.at_byte(1_234_567, Link.reset)
    with pytest.raises(OSError, match="reset|Broken pipe"):
        send(proxy, bytes(9_000_000))
        send(proxy, b"")
    assert sink.ended() == "reset"
    assert proxy.up == 1_234_567
    assert send(proxy, b"again") == b"ok"


def test_an_orderly_end_delivers_everything_before_it(sink: Sink, proxy: FaultProxy) -> None:
    trap = proxy.at_byte(1_000, Link.close)
    with dial(proxy) as line:
        line.sendall(bytes(1_000))
        assert line.recv(100) == b""
    assert trap.sprung.is_set()
    assert sink.ended() == "closed"
    assert len(sink.received) == 1_000


def test_a_request_can_be_kept_from_passing(sink: Sink, proxy: FaultProxy) -> None:
    proxy.at_request(b"PUT /b", Link.reset)
    assert send(proxy, b"PUT /a HTTP/1.1") == b"ok"
    with pytest.raises(ConnectionResetError):
        send(proxy, b"PUT /b HTTP/1.1")
    assert sink.received == b"PUT /a HTTP/1.1"


def test_a_held_line_loses_nothing(sink: Sink, proxy: FaultProxy) -> None:
    proxy.at_byte(500, lambda _link: proxy.hold(0.3))
    began = time.monotonic()
    assert send(proxy, bytes(100_000)) == b"ok"
    assert time.monotonic() - began >= 0.3
    assert len(sink.received) == 100_000


def test_a_refusing_line_takes_nobody_for_a_while(sink: Sink, proxy: FaultProxy) -> None:
    proxy.refuse(0.3)
    with pytest.raises(ConnectionResetError):
        send(proxy, b"x")
    time.sleep(0.3)
    assert send(proxy, b"x") == b"ok"


def test_what_was_signed_for_the_line_holds_on_it(addresses: Mapping[str, str]) -> None:
    dsn = Dsn.parse(addresses["BIBLIO_STORAGE"])
    with FaultProxy(dsn.options["endpoint"]) as proxy:
        storage = connect(replace(dsn, options={**dsn.options, "public_endpoint": proxy.url}))
        storage.prepare()
        before = proxy.up
        upload = storage.sign_upload(f"line/{uuid4().hex}", size=3_000_000, content_type="video/mp4", seconds=60)
        sent = httpx.put(upload.url, content=bytes(3_000_000), headers=dict(upload.headers))
        assert sent.status_code == 200
        assert 3_000_000 < proxy.up - before < 3_002_000
        storage.remove("line/")
        storage.close()
