"""What every tracer promises. An adapter's class supplies `collector`, and `make`, which gives a tracer as each process
has one of its own."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from biblio.errors import Unavailable
from biblio.log_context import about
from biblio.ports.tracer import Tracer
from tests.emulators.otlp_collector import Collector

Make = Callable[[], Tracer]


class TracerContract:
    def test_all_spans_of_a_video_are_one_trace_whichever_process_they_come_from(
        self, make: Make, collector: Collector
    ) -> None:
        video, other, tracers = str(uuid4()), str(uuid4()), [make(), make()]
        with tracers[0].span("upload", video, first=True):
            pass
        with tracers[1].span("extract", video):
            pass
        with tracers[1].span("extract", other):
            pass
        for tracer in tracers:
            tracer.close()
        upload, extract = collector.wait(video, 2)
        assert (upload.name, upload.parent) == ("upload", b"")
        assert (extract.name, extract.parent) == ("extract", upload.id)
        assert [span.name for span in collector.wait(other, 1)] == ["extract"]

    def test_a_span_inside_another_is_its_child(self, make: Make, collector: Collector) -> None:
        video, other, tracer = str(uuid4()), str(uuid4()), make()
        with tracer.span("extract", video):
            with tracer.span("publish", video):
                pass
            with tracer.span("publish", other):
                pass
        tracer.close()
        extract, publish = collector.wait(video, 2)
        assert publish.parent == extract.id
        assert collector.wait(other, 1)[0].parent not in (b"", extract.id)

    def test_a_span_whose_work_raises_says_so_by_its_code_and_lets_the_error_through(
        self, make: Make, collector: Collector
    ) -> None:
        video, tracer = str(uuid4()), make()
        with pytest.raises(Unavailable), tracer.span("extract", video):
            raise Unavailable("The storage at s3://key:hidden@bucket does not answer.", code="AWAY")
        with pytest.raises(ZeroDivisionError), tracer.span("embed", video):
            _ = 1 / 0
        with tracer.span("index", video):
            pass
        tracer.close()
        spans = collector.wait(video, 3)
        assert [span.error for span in spans] == ["AWAY", "ZeroDivisionError", None]
        assert "hidden" not in repr(spans)

    def test_a_span_says_what_it_is_about(self, make: Make, collector: Collector) -> None:
        video, tracer = str(uuid4()), make()
        with about(attempt=2, worker="ai-1"), tracer.span("transcribe", video, generation=3):
            pass
        tracer.close()
        (span,) = collector.wait(video, 1)
        expected = {"biblio.video": video, "biblio.attempt": 2, "biblio.worker": "ai-1", "biblio.generation": 3}
        assert span.about == expected

    @pytest.mark.parametrize(("status", "delay"), [(503, 0.0), (200, 30.0), (429, 0.0)])
    def test_a_collector_that_is_away_costs_no_time(
        self, make: Make, collector: Collector, status: int, delay: float
    ) -> None:
        collector.status, collector.delay = status, delay
        tracer, began = make(), time.monotonic()
        for _ in range(5_000):
            with tracer.span("extract", str(uuid4())):
                pass
        worked = time.monotonic()
        tracer.close()
        assert worked - began < 5
        assert time.monotonic() - worked < 4
