"""A collector that speaks OTLP over HTTP: it decodes what comes, keeps the spans, and misbehaves on order."""

import gzip
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True)
class Seen:
    """A span as it came. `trace` is read as a video's id; a root has no `parent`; `error` is None when it went well."""

    name: str
    trace: str
    id: bytes
    parent: bytes
    error: str | None
    about: dict[str, str | int]
    seconds: float
    service: str


@dataclass
class Collector:
    """`status` is what it answers, after `delay` seconds."""

    port: int
    status: int = 200
    delay: float = 0.0
    authorizations: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    spans: list[Seen] = field(default_factory=list)

    def of(self, video_id: str) -> list[Seen]:
        return sorted((span for span in self.spans if span.trace == video_id), key=lambda span: span.seconds)

    def wait(self, video_id: str, count: int, seconds: float = 10.0) -> list[Seen]:
        """The spans of a video, once there are so many."""
        until = time.monotonic() + seconds
        while len(self.of(video_id)) < count and time.monotonic() < until:
            time.sleep(0.05)
        return self.of(video_id)


@contextmanager
def running_collector() -> Iterator[Collector]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    server.daemon_threads = True
    collector = Collector(server.server_address[1])
    _Door.collectors[collector.port] = collector
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()


class _Door(BaseHTTPRequestHandler):
    collectors: dict[int, Collector] = {}

    def do_POST(self) -> None:
        assert isinstance(self.server, ThreadingHTTPServer)
        collector = self.collectors[self.server.server_port]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(collector.delay)
        collector.authorizations.append(self.headers["Authorization"])
        collector.paths.append(self.path)
        if collector.status == 200:
            assert self.headers["Content-Type"] == "application/x-protobuf"
            zipped = self.headers["Content-Encoding"] == "gzip"
            collector.spans += _read(gzip.decompress(body) if zipped else body)
        self.send_response(collector.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def _read(body: bytes) -> Iterator[Seen]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(_values(resource.resource.attributes)["service.name"])
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _seen(span, service)


def _seen(span: Span, service: str) -> Seen:
    failed = span.status.code == Status.STATUS_CODE_ERROR
    return Seen(
        name=span.name,
        trace=str(UUID(bytes=span.trace_id)),
        id=span.span_id,
        parent=span.parent_span_id,
        error=span.status.message if failed else None,
        about=_values(span.attributes),
        seconds=span.start_time_unix_nano / 1e9,
        service=service,
    )


def _values(pairs: Iterable[KeyValue]) -> dict[str, str | int]:
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}
