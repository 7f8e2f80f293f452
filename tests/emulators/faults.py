"""Misbehaviour on order, for emulators that speak HTTP."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROP, CUT, LOSE, SLOW = 0, 1, 2, 3
"""Instead of an HTTP status: hang up at once; after some bytes of the body; instead of the answer, all being done; be
slow, but else do what is asked."""


@dataclass
class Fault:
    """Answer the next `times` calls whose `METHOD path` matches with `status`.

    `after` is bytes of the body, None: half of it. `seconds` is waited before anything else. `reason` is S3's code.
    """

    pattern: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    reason: str = "EntityTooLarge"
    after: int | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.pattern} {self.status}"


class FaultyServer(ThreadingHTTPServer):
    """`calls` has every `METHOD path` in order; `faults` are meant to be added to."""

    daemon_threads = True
    request_queue_size = 128  # or connections made at once are reset, where this process gets no time

    def __init__(self, handler: type[BaseHTTPRequestHandler], faults: list[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.faults = faults
        self.calls: list[str] = []
        self.lock = threading.RLock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: a client that hangs up is part of the tests."""

    def fault_for(self, call: str) -> Fault | None:
        """Notes the call; the fault that is due, after its seconds."""
        with self.lock:
            self.calls.append(call)
            due = (fault for fault in self.faults if fault.times and re.fullmatch(fault.pattern, call))
            fault = next(due, None)
            if fault:
                fault.times -= 1
        if fault:
            time.sleep(fault.seconds)
        return fault if fault and fault.status != SLOW else None

    @contextmanager
    def running(self) -> Iterator[None]:
        with self:
            threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
            yield
            self.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    losing = False

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def problem(self, status: int, code: str, detail: str, **more: Any) -> None:
        body = {"type": "about:blank", "title": "Problem", "status": status, "code": code, "detail": detail, **more}
        self.send(status, json.dumps(body).encode(), "application/problem+json")

    def answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), "application/json", headers)

    def send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        if self.losing:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
