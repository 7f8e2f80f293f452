"""Traces by OTLP, against a collector's emulator that decodes what the client library of OpenTelemetry sends."""

import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from biblio.adapters.registry import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.ports.tracer import Tracer
from tests.contracts.tracer import Make, TracerContract
from tests.emulators.otlp_collector import Collector, running_collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


def tracer_at(address: str) -> Tracer:
    tracer: Tracer = connect("tracer", Dsn.parse(address))
    return tracer


class TestOtlp(TracerContract):
    @pytest.fixture
    def collector(self, collector: Collector) -> Collector:
        return collector

    @pytest.fixture
    def make(self, collector: Collector) -> Make:
        return lambda: tracer_at(f"otlp://127.0.0.1:{collector.port}")


def test_the_trace_has_the_id_of_its_video(collector: Collector) -> None:
    video, tracer = uuid4(), tracer_at(f"otlp://127.0.0.1:{collector.port}")
    with tracer.span("upload", str(video), first=True):
        pass
    tracer.close()
    assert UUID(collector.wait(str(video), 1)[0].trace) == video


def test_the_token_and_the_path_of_the_address_are_used_and_the_token_shows_nowhere(collector: Collector) -> None:
    dsn = Dsn.parse(f"otlp://127.0.0.1:{collector.port}/otlp?token=hidden&service=biblio-test")
    tracer: Tracer = connect("tracer", dsn)
    video = str(uuid4())
    with tracer.span("upload", video):
        pass
    tracer.close()
    assert collector.wait(video, 1)[0].service == "biblio-test"
    assert (collector.paths[0], collector.authorizations[0]) == ("/otlp/v1/traces", "Bearer hidden")
    assert "hidden" not in repr(dsn)


def test_a_tracer_that_was_not_used_opens_nothing_and_closes_at_once() -> None:
    tracer, began = tracer_at("otlp://127.0.0.1:1"), time.monotonic()
    tracer.close()
    assert time.monotonic() - began < 0.5


def test_a_misspelt_option_and_a_missing_host_are_misconfigured() -> None:
    for address in ("otlp://127.0.0.1?tokn=x", "otlp://"):
        with pytest.raises(Misconfigured):
            tracer_at(address)


def test_a_missing_extra_names_itself() -> None:
    """As in an installation without it: the library can't be found."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from biblio.adapters.registry import connect; from biblio.dsn import Dsn\n"
        "connect('tracer', Dsn.parse('otlp://127.0.0.1'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "pip install 'biblio[tracing]'" in done.stderr.splitlines()[-1]
