"""The hand-over: ffmpeg reads the film over HTTP from this process, and from nowhere else.

The socket was made in ffmpeg's cage, for one run (`cage/handover.py`). So ffmpeg can seek, is told no address or key of
the storage, and no film lies on the disk. Where the cage has no network of its own, the path keeps others out; it shows
in `ps`, so other users of the machine are turned away.
"""

import os
import re
import secrets
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from biblio.adapters.audio.tape import Tape

POLL = 0.05  # seconds that closing may take
SEND_BUFFER = 128 * 1024  # small: what lies in sockets when ffmpeg jumps was read for nothing


class Relay:
    """Serves a tape to whoever calls at `listener` and knows `path`, while the `with` block lasts; then closes it."""

    def __init__(self, tape: Tape, listener: socket.socket, path: str) -> None:
        self.tape = tape
        self._server = _Server(tape, listener, path)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,), name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.tape.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def failure(self) -> BaseException | None:
        """Why the bytes stopped coming, if they did."""
        return self.tape.failure or self._server.failure

    @property
    def requests(self) -> int:
        """How often ffmpeg has asked, which it does once a jump."""
        return self._server.turn


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tape: Tape, listener: socket.socket, path: str) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.tape = tape
        self.path = path
        self.turn = 0
        self.failure: BaseException | None = None

    def verify_request(self, _request: Any, client_address: tuple[str, int]) -> bool:
        return _user_of(client_address[1], self.server_address[1]) in (None, os.geteuid())

    def handle_error(self, *_: Any) -> None:
        # ffmpeg hangs up whenever it jumps. Anything else is told to the caller of `extract`, not to the log.
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self.failure = self.failure or error


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = None

    def setup(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().setup()

    def do_GET(self) -> None:
        start = self._answer()
        if start is None:
            return
        self.server.turn = turn = self.server.turn + 1
        # The newest request is where ffmpeg is; an older one must not pull the tape back to its own place.
        while self.server.turn == turn and (piece := self.server.tape.read(start)):
            self.wfile.write(piece)
            start += len(piece)

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> int | None:
        """Send the head; the first byte to send, None where there is none."""
        self.close_connection = True
        size = self.server.tape.size
        asked = re.fullmatch(r"bytes=(\d+)-\d*", self.headers.get("Range", "bytes=0-"))
        start = int(asked[1]) if asked else size
        known = secrets.compare_digest(self.path.encode("latin-1"), self.server.path.encode())
        if not known or start >= size:
            self.send_response(416 if known else 404)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        self.send_response(206)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.send_header("Connection", "close")
        self.end_headers()
        return start

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: one line a jump would drown the log."""


def _user_of(client: int, server: int) -> int | None:
    """Whose socket on 127.0.0.1 speaks from port `client` to port `server`.

    None where the system does not tell (Linux does), and for a caller in a network of its own, who is in no table of
    ours. A connection that is over (state 06) is nobody's: another one had this port before.
    """
    table = Path("/proc/net/tcp")
    if not table.exists():
        return None
    wanted = [f"0100007F:{client:04X}", f"0100007F:{server:04X}"]
    rows = (line.split() for line in table.read_text().splitlines())
    return next((int(row[7]) for row in rows if row[1:3] == wanted and row[3] != "06"), None)
