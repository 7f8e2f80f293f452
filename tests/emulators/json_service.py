"""What emulators of vector databases share: JSON over HTTP behind a key, writes that show late, points in memory."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
import numpy.typing as npt

from tests.emulators.faults import CUT, DROP, LOSE, Fault, FaultyServer, Handler

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    body: Json
    size: int


@dataclass(frozen=True)
class Point:
    """`values` are of length 1."""

    id: str
    values: npt.NDArray[np.float32]
    about: Json


@dataclass
class Points:
    """Of one collection or namespace, compared one by one."""

    dimension: int
    by_id: dict[str, Point] = field(default_factory=dict)

    def read(self, id: str, values: Any, about: Json) -> Point:
        if not isinstance(values, list) or len(values) != self.dimension or None in values:
            raise Refusal(400, f"Vector dimension {len(values or ())} does not match the dimension {self.dimension}")
        numbers = np.asarray(values, dtype=np.float32)
        return Point(id, numbers / np.linalg.norm(numbers), about)

    def put(self, points: Iterable[Point]) -> None:
        self.by_id.update((point.id, point) for point in points)

    def where(self, keep: Callable[[Point], bool]) -> list[Point]:
        return sorted((point for point in self.by_id.values() if keep(point)), key=lambda point: point.id)

    def drop(self, keep: Callable[[Point], bool]) -> None:
        for point in self.where(keep):
            del self.by_id[point.id]

    def nearest(self, question: Any, keep: Callable[[Point], bool], limit: int) -> list[tuple[float, Point]]:
        asked, chosen = self.read("", question, {}), self.where(keep)
        if not chosen:
            return []
        scores = np.stack([point.values for point in chosen]) @ asked.values
        return [(float(scores[place]), chosen[place]) for place in np.argsort(-scores, kind="stable")[:limit]]


class JsonService(FaultyServer):
    """`lag`: seconds until a write shows; the answer comes at once. Calls without `key` are refused."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], faults: list[Fault] | None = None) -> None:
        super().__init__(handler, faults if faults is not None else [])
        self.key = "emulated-key"
        self.lag = 0.0
        self._waiting: list[tuple[float, Callable[[], None]]] = []

    def write(self, act: Callable[[], None], lag: float | None = None) -> None:
        self._waiting.append((time.monotonic() + (self.lag if lag is None else lag), act))
        self.settle()

    def settle(self) -> None:
        """In order: what was written later never shows earlier."""
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            self._waiting.pop(0)[1]()

    def respond(self, call: Call) -> Json:
        """Raises `Refusal`."""
        raise NotImplementedError


class JsonHandler(Handler):
    disable_nagle_algorithm = True
    cutting = False

    @property
    def service(self) -> JsonService:
        return cast(JsonService, self.server)

    def refuse(self, refusal: Refusal) -> None:
        self.answer(refusal.status, {"message": refusal.message})

    def send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        if not self.cutting:
            super().send(status, body, kind, headers)
            return
        super().send(status, body[: len(body) // 2], kind, {"Content-Length": str(len(body)), **(headers or {})})
        self.close_connection = True

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        fault = self.service.fault_for(f"{self.command} {path}")
        if fault and fault.status == DROP:
            self.close_connection = True
            return
        raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.losing = fault is not None and fault.status == LOSE
        self.cutting = fault is not None and fault.status == CUT
        if fault and fault.status > CUT and fault.status != LOSE:
            self.answer(fault.status, fault.body, fault.headers)
            return
        try:
            body = json.loads(raw or b"{}")
            answer = self._answered(Call(self.command, path, dict(parse_qsl(parts.query)), body, len(raw)))
        except Refusal as refusal:
            self.refuse(refusal)
        else:
            self.answer(200, answer)

    def _answered(self, call: Call) -> Json:
        if self.headers["Api-Key"] != self.service.key:
            raise Refusal(401, "Invalid API key")
        with self.service.lock:
            self.service.settle()
            return self.service.respond(call)

    do_GET = do_POST = do_PUT = do_DELETE = _serve
