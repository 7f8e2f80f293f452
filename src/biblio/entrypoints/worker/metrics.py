"""A worker's `/metrics`: its parent serves what it and its children observe.

Made before the children are: what they say comes over sockets that they inherit.
"""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from biblio.adapters.meter.datagrams import Collector, DatagramMeter, pair
from biblio.bootstrap import exposition
from biblio.errors import Misconfigured
from biblio.ports.meter import Exposition, Meter, Silent

log = logging.getLogger(__name__)


class WorkerMetrics:
    """`own` is the parent's meter, `of_children` theirs. Without a port nothing is measured at all."""

    own: Meter = Silent()
    of_children: Meter = Silent()

    def __init__(self, host: str = "127.0.0.1", port: int | None = None) -> None:
        """Raises `Misconfigured` where the port is not free."""
        self._serving: _Serving | None = None
        if port is not None:
            meter = exposition()
            self._serving = _Serving(host, port, meter)
            self.own, self.of_children = meter, self._serving.of_children

    def begin(self) -> None:
        """In the parent, once."""
        if self._serving is not None:
            self._serving.begin()

    def enter_child(self) -> None:
        """In a child: let go of what is its parent's alone."""
        if self._serving is not None:
            self._serving.let_go()


class _Serving:
    def __init__(self, host: str, port: int, meter: Exposition) -> None:
        try:
            self._server = _Server((host, port), _Page)
        except OSError as error:
            message = f"Metrics can't be served on {host}:{port}: {error.strerror or error}."
            raise Misconfigured(message, code="PORT_TAKEN") from error
        self._server.meter = meter
        theirs, self._end = pair()
        self.of_children = DatagramMeter(theirs)
        self._collector = Collector(self._end, meter)

    def begin(self) -> None:
        for name, act in (("metrics", self._server.serve_forever), ("observations", self._collect)):
            threading.Thread(target=act, name=name, daemon=True).start()

    def let_go(self) -> None:
        self._server.socket.close()
        self._end.close()

    def _collect(self) -> None:
        while True:
            self._collector.collect()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    meter: Exposition


class _Page(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0  # seconds in which a caller has to say what it wants

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        text = self.server.meter.text()
        self.send_response(200)
        self.send_header("Content-Type", self.server.meter.content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing: somebody asks every few seconds."""
