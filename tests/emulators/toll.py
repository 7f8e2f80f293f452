"""A paid service that does nothing but count who called when, and refuse at random where it is told to."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from biblio.errors import RateLimited, Unavailable

TIMEOUT = 30.0


@dataclass(frozen=True)
class Arrival:
    """`at` on the monotonic clock, `what` as the caller named it."""

    at: float
    who: str
    what: str
    status: int


@dataclass
class Refusals:
    """`share` of all calls is refused; of these `told` with a Retry-After of a second."""

    share: float = 0.0
    told: float = 0.5
    dice: random.Random = field(default_factory=random.Random)


class Toll(ThreadingHTTPServer):
    """`seconds` each call takes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Gate)
        self.arrivals: list[Arrival] = []
        self.refusals = Refusals()
        self.seconds = 0.0
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: callers are killed."""

    @contextmanager
    def running(self) -> Iterator["Toll"]:
        with self:
            threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
            yield self
            self.shutdown()


class _Gate(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        at, toll = time.monotonic(), cast(Toll, self.server)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with toll.lock:
            refusals = toll.refusals
            refused = refusals.dice.random() < refusals.share
            told = refused and refusals.dice.random() < refusals.told
            toll.arrivals.append(Arrival(at, asked["who"], asked["what"], 429 if refused else 200))
        if not refused:
            time.sleep(toll.seconds)
        self.send_response(429 if refused else 200)
        self.send_header("Content-Length", "0")
        if told:
            self.send_header("Retry-After", "1")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def pay(port: int, who: str, what: str) -> None:
    """One call. Raises `RateLimited` and `Unavailable`, as an adapter does."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("POST", "/", json.dumps({"who": who, "what": what}))
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        raise Unavailable("The toll does not answer.") from error
    finally:
        connection.close()
    if answer.status == 429:
        told = answer.headers["Retry-After"]
        raise RateLimited("The toll was asked too often.", retry_after=float(told) if told else None)
