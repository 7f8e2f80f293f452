"""What emulators of paid services have in common: they count, they want a key, and they misbehave on order."""

import json
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from tests.emulators.faults import CUT, DROP, LOSE, Fault, FaultyServer, Handler


@dataclass(frozen=True)
class Call:
    """One that came in: `begun` and `ended` in seconds of the monotonic clock, `units` seconds of sound or tokens."""

    path: str
    begun: float
    ended: float
    status: int
    units: float
    asked: dict[str, Any]


class PaidService(FaultyServer):
    """`log` has every call that was answered, in the order of the answers; `delay` is seconds each of them takes.

    `busy`: the share of calls (0 to 1) that are refused with 429 by chance.
    """

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(handler, [])
        self.log: list[Call] = []
        self.delay = self.busy = 0.0
        self.dice = random.Random(7)
        self.under_way = self.most_under_way = 0

    def answered(self, path: str) -> list[Call]:
        """Calls that went well, whose path ends so."""
        with self.lock:
            return [call for call in self.log if call.path.endswith(path) and call.status == 200]

    def expect(self, *faults: Fault) -> None:
        self.faults += faults


@dataclass(frozen=True)
class Reply:
    """`units` are billed, `asked` is what a test wants to know of the call."""

    status: int
    body: dict[str, Any]
    units: float = 0.0
    asked: dict[str, Any] | None = None


class PaidHandler(Handler):
    """The service's own part is `reply` and `failure`."""

    disable_nagle_algorithm = True

    @property
    def service(self) -> PaidService:
        return cast(PaidService, self.server)

    def reply(self, path: str, body: bytes) -> Reply:
        raise NotImplementedError

    def failure(self, status: int, reason: str) -> dict[str, Any]:
        """The body of an error, as the service writes it."""
        raise NotImplementedError

    def _any(self) -> None:
        begun, path = time.monotonic(), self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.service.lock:
            self.service.under_way += 1
            self.service.most_under_way = max(self.service.most_under_way, self.service.under_way)
        try:
            fault = self.service.fault_for(f"{self.command} {path}")
            time.sleep(self.service.delay)
            reply = self._faulty(fault) or self.reply(path, body)
        finally:
            with self.service.lock:
                self.service.under_way -= 1
        call = Call(path, begun, time.monotonic(), reply.status, reply.units, reply.asked or {})
        with self.service.lock:
            self.service.log.append(call)
        self._send(reply, fault)

    do_GET = do_POST = _any

    def _faulty(self, fault: Fault | None) -> Reply | None:
        if fault is None and self.service.dice.random() < self.service.busy:
            return Reply(429, self.failure(429, ""))
        if fault is None or fault.status in (CUT, LOSE):
            return None
        if fault.status == DROP:
            return Reply(DROP, {})
        reason = fault.body.get("reason", "") if fault.body else ""
        return Reply(fault.status, self.failure(fault.status, reason))

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        if fault and fault.status in (DROP, LOSE):
            self.close_connection = True
            return
        content = json.dumps(reply.body).encode()
        sent = content
        if fault and fault.status == CUT:
            sent = content[: len(content) // 2 if fault.after is None else fault.after]
            self.close_connection = True
        self.send_response(reply.status)
        more = fault.headers if fault else {}
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)


def fields_of(content_type: str, body: bytes) -> tuple[dict[str, list[str]], bytes]:
    """A form's fields by name, and its file."""
    fields: dict[str, list[str]] = {}
    file = b""
    for name, content, is_file in _parts(content_type, body):
        if is_file:
            file = content
        else:
            fields.setdefault(name, []).append(content.decode())
    return fields, file


def _parts(content_type: str, body: bytes) -> Iterable[tuple[str, bytes, bool]]:
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        yield name, content.removesuffix(b"\r\n"), b"filename=" in head
