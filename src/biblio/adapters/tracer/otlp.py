"""Traces by OTLP over HTTP: `otlp://host:4318`, over TLS `otlps://`. Jaeger, Tempo and every collector take it.

A video's id has as many bits as a trace's, so it is its trace's id. Nothing about traces has to travel with a message:
whoever knows the video knows its trace, and so does the person who looks for it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from uuid import UUID

import pydantic
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
    use_span,
)

from biblio import __version__
from biblio.dsn import Dsn, Options
from biblio.errors import BiblioError, Misconfigured
from biblio.log_context import Field, subject

BATCH_SECONDS = 1.0
CLOSE_SECONDS = 2.0
MOST_WAITING = 2048
"""Spans kept while the collector is slow; more are dropped."""

_beginning: ContextVar[UUID | None] = ContextVar("beginning", default=None)


class OtlpOptions(Options):
    """`token`: sent as `Authorization: Bearer …`; `service`: by which name the collector knows this process; `timeout`:
    seconds of one transfer."""

    token: str | None = None
    service: str = "biblio"
    timeout: float = pydantic.Field(default=5, gt=0)


class OtlpTracer:
    """See `biblio.ports.tracer.Tracer`. Its thread begins with the first span, in the process that has it."""

    def __init__(self, url: str, options: OtlpOptions) -> None:
        self._url, self._options = url, options
        self._lock = threading.Lock()
        self._provider: TracerProvider | None = None

    @contextmanager
    def span(self, name: str, video_id: str, *, first: bool = False, **attributes: Field) -> Iterator[None]:
        span = self._begun(name, UUID(video_id), first, {**subject(), "video": video_id, **attributes})
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                yield
        except BaseException as error:
            code = error.code if isinstance(error, BiblioError) else type(error).__name__
            span.set_status(Status(StatusCode.ERROR, code))  # no message: those are for people, and quote
            raise
        finally:
            span.end()

    def close(self) -> None:
        with self._lock:
            provider, self._provider = self._provider, None
        if provider is not None:
            # It would wait for half a minute for a collector that is away.
            last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
            last.start()
            last.join(CLOSE_SECONDS)

    def _begun(self, name: str, video: UUID, first: bool, about: dict[str, Field]) -> Span:
        tracer = self._opened().get_tracer("biblio", __version__)
        token = _beginning.set(video if first else None)
        try:
            attributes = {f"biblio.{field}": value for field, value in about.items()}
            return tracer.start_span(name, Context() if first else _parent(video), attributes=attributes)
        finally:
            _beginning.reset(token)

    def _opened(self) -> TracerProvider:
        with self._lock:
            if self._provider is None:
                self._provider = self._made()
            return self._provider

    def _made(self) -> TracerProvider:
        token = self._options.token
        exporter = OTLPSpanExporter(
            self._url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=self._options.timeout
        )
        named = Resource.create({"service.name": self._options.service, "service.version": __version__})
        provider = TracerProvider(ALWAYS_ON, named, id_generator=_Ids(), shutdown_on_exit=False)
        delay = round(BATCH_SECONDS * 1000)
        provider.add_span_processor(BatchSpanProcessor(exporter, MOST_WAITING, schedule_delay_millis=delay))
        return provider


class _Ids(RandomIdGenerator):
    """Random, but for a video's first span: that one's everybody can work out."""

    def generate_trace_id(self) -> int:
        video = _beginning.get()
        return video.int if video is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        video = _beginning.get()
        return _first_span(video) if video is not None else super().generate_span_id()


def connect(dsn: Dsn) -> OtlpTracer:
    """Raises `Misconfigured`."""
    options = dsn.read_options(OtlpOptions)
    if not dsn.host:
        raise Misconfigured("An address for traces looks like otlp://host:4318.")
    # What is wrong with the collector is told once, by the client library's own logger; its retries are no news.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    scheme = "https" if dsn.scheme == "otlps" else "http"
    path = f"{dsn.path.rstrip('/')}/" if dsn.path else ""
    return OtlpTracer(f"{scheme}://{dsn.host}:{dsn.port or 4318}/{path}v1/traces", options)


def _parent(video: UUID) -> Context | None:
    """None: whatever span of this video is open here; else its first one, wherever that was."""
    if get_current_span().get_span_context().trace_id == video.int:
        return None
    first = SpanContext(video.int, _first_span(video), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(first), Context())


def _first_span(video: UUID) -> int:
    return int.from_bytes(sha256(video.bytes).digest()[:8]) or 1
