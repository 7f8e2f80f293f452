"""One video, followed from its first request through the broker to the index: by its trace, by the numbers of every
process, and by its log lines. Every process is as an operator starts it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from biblio.bootstrap import build, close, engines
from biblio.client import Client
from biblio.domain.flow import Queue
from biblio.local.sample import TALK
from biblio.settings import read_settings
from tests.adapters.meter.reading import numbers
from tests.chaos.place import free_port
from tests.emulators.otlp_collector import Collector, Seen, running_collector
from tests.engines import running_engines

PATIENCE = 240.0
pytestmark = pytest.mark.timeout(600)  # four processes begin, on a machine that may be busy

STEPS = ["extract", "transcribe", "embed", "index", "cleanup"]


@dataclass(frozen=True)
class Watched:
    url: str
    key: str
    collector: Collector
    metrics: Mapping[str, str]
    logs: Path

    def numbers(self, process: str) -> dict[str, float]:
        return numbers(httpx.get(self.metrics[process], timeout=30).text)

    def lines(self, process: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.logs / f"{process}.log").read_text().splitlines()]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home, ports = tmp_path_factory.mktemp("watched"), {name: free_port() for name in ("api", *Queue)}
    url = f"http://127.0.0.1:{ports['api']}"
    with ExitStack() as stack:
        collector = stack.enter_context(running_collector())
        addresses = stack.enter_context(running_engines(home / "data"))
        settings = {
            **addresses,
            "BIBLIO_SPEECH": "scripted://",
            "BIBLIO_TRACES": f"otlp://127.0.0.1:{collector.port}",
            "BIBLIO_DATA": str(home / "none"),
        }
        key = _prepare(settings)
        commands = {queue.value: ["worker", "--queue", queue, "--metrics-port", str(ports[queue])] for queue in Queue}
        commands["api"] = ["api", "--port", str(ports["api"])]
        for name, words in commands.items():
            stack.enter_context(_running(words, settings, home / f"{name}.log"))
        _wait_until_ready(url)
        pages = {name: f"http://127.0.0.1:{port}/metrics" for name, port in ports.items()}
        yield Watched(url, key, collector, pages, home)


def _prepare(settings: Mapping[str, str]) -> str:
    services, key = build(read_settings(settings)), uuid4().hex
    for engine in engines(services).values():
        engine.prepare()
    with services.catalog.transaction() as tx:
        tx.users.give_key(tx.users.add("watched"), key)
    close(services)
    return key


@contextmanager
def _running(words: list[str], settings: Mapping[str, str], log: Path) -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIBLIO_")}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "biblio", *words], env={**kept, **settings}, stdout=file, stderr=file
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(40)


def _wait_until_ready(url: str) -> None:
    until, state = time.monotonic() + PATIENCE, None
    while state is None or state.status_code != 200:
        assert time.monotonic() < until, state and state.text
        time.sleep(0.3)
        try:
            state = httpx.get(f"{url}/readyz", timeout=30)
        except httpx.TransportError:
            state = None


@pytest.fixture(scope="module")
def video_id(watched: Watched) -> str:
    with Client(watched.url, watched.key) as client:
        video_id = client.upload(TALK)["video_id"]
        assert client.wait(video_id, lambda _status: None)["status"] == "COMPLETED"
    return video_id


@pytest.fixture(scope="module")
def spans(watched: Watched, video_id: str) -> list[Seen]:
    until = time.monotonic() + PATIENCE
    while "cleanup" not in {span.name for span in watched.collector.of(video_id)}:
        assert time.monotonic() < until, watched.collector.spans
        time.sleep(0.2)
    time.sleep(2.0)  # each process sends what it has every second
    return watched.collector.of(video_id)


def test_one_trace_leads_from_the_first_request_through_the_broker_to_the_index(spans: list[Seen]) -> None:
    assert [span.name for span in spans if span.name in STEPS] == STEPS
    assert [span.name for span in spans if not span.parent] == ["upload"]
    assert {span.error for span in spans} == {None}
    names = {span.id: span.name for span in spans}
    children = [(names[span.parent], span.name) for span in spans if span.parent]
    # Storage's event, the client and the sweep may all pull the trigger; one of them sets the video off.
    assert {child for child in children if child[1] == "trigger"} == {("upload", "trigger")}
    expected = [("trigger", "publish extract"), *(("upload", step) for step in STEPS)]
    expected += [(before, f"publish {after}") for before, after in zip(STEPS, STEPS[1:], strict=False)]
    assert sorted(child for child in children if child[1] != "trigger") == sorted(expected)


def test_a_spans_process_request_and_attempt_are_known(watched: Watched, spans: list[Seen], video_id: str) -> None:
    by_name = {span.name: span for span in spans}
    assert by_name["index"].about["biblio.attempt"] == 1
    assert str(by_name["index"].about["biblio.worker"]).startswith("index-")
    asked = by_name["upload"].about["biblio.request"]
    assert [line["route"] for line in watched.lines("api") if line.get("request") == asked] == ["/api/videos"]
    assert {span.about["biblio.video"] for span in spans} == {video_id}


@pytest.mark.parametrize("queue", list(Queue))
def test_every_worker_tells_its_own_numbers(watched: Watched, spans: list[Seen], queue: Queue) -> None:
    found = watched.numbers(queue)
    step = {"media": "extract", "ai": "transcribe", "index": "index"}[queue]
    assert found[f'biblio_step_seconds_count{{outcome="done",step="{step}"}}'] >= 1
    assert found[f'biblio_step_seconds_sum{{outcome="done",step="{step}"}}'] > 0
    assert found["biblio_observations_dropped_total"] == 0
    assert found["biblio_process_deaths_total"] == 0


def test_one_worker_leads_the_sweep_and_the_api_sees_it(watched: Watched, spans: list[Seen]) -> None:
    assert sum(watched.numbers(queue)["biblio_sweep_leader"] for queue in Queue) == 1
    seen = watched.numbers("api")
    assert seen["biblio_sweep_led"] == 1
    assert [seen[f'biblio_workers{{queue="{queue}"}}'] for queue in Queue] == [1, 1, 1]
    assert seen['biblio_request_seconds_count{method="POST",route="/api/videos",status="201"}'] == 1
    assert seen['biblio_published_total{step="extract",told="yes"}'] == 1


@pytest.mark.parametrize("queue", list(Queue))
def test_every_line_of_a_step_names_its_video_and_attempt(
    watched: Watched, video_id: str, spans: list[Seen], queue: Queue
) -> None:
    lines = watched.lines(queue)
    told = [line for line in lines if line["logger"] == "biblio.pipeline.runner"]
    assert told
    for line in told:
        assert line["video"] == video_id
        assert line["attempt"] == 1
        assert line["step"] in STEPS
        assert line["worker"].startswith(f"{queue}-")
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))


def test_a_metrics_port_that_is_taken_is_told_in_a_sentence(watched: Watched) -> None:
    port = watched.metrics["ai"].partition(":")[2].rpartition(":")[2].removesuffix("/metrics")
    words = ["worker", "--queue", "ai", "--metrics-port", port]
    settings = {"BIBLIO_DATABASE": "postgresql+psycopg://x@127.0.0.1:1/x"}
    command = [sys.executable, "-m", "biblio", *words]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "PORT_TAKEN" in done.stderr
    assert "Traceback" not in done.stderr
