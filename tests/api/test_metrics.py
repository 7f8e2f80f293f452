"""What the API tells those who watch it: numbers, readiness, a line in the log for each request."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest

from biblio.domain.flow import Queue
from biblio.entrypoints.logs import JsonLines
from biblio.ports.leadership import SWEEP
from tests.adapters.meter.reading import numbers
from tests.api.broken import broken_api, silent
from tests.api.conftest import Api
from tests.api.sending import begin
from tests.database import look_into

AWAY = "127.0.0.1:1"
ENGINES = {"catalog", "storage", "queue", "limiter", "embedder", "vectors"}
OTHERS = {*(f"{queue} worker" for queue in Queue), "sweep"}


def metrics_of(api: Api) -> dict[str, float]:
    answer = httpx.get(f"{api.http.base_url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return numbers(answer.text)


def request_count(found: Mapping[str, float], method: str, route: str, status: int) -> float:
    labels = f'method="{method}",route="{route}",status="{status}"'
    return found.get(f"biblio_request_seconds_count{{{labels}}}", 0)


class TestMetrics:
    def test_requests_are_counted_by_route_whatever_is_asked(self, api: Api) -> None:
        before = metrics_of(api)
        for video_id in ("one", "two"):
            assert api.http.get(f"/api/videos/{video_id}/status").status_code == 404
        assert httpx.get(f"{api.http.base_url}/api/videos").status_code == 401
        for path in ("/api/nothing/here", f"/{uuid4()}", "/api/search?q=" + "x" * 2000):
            api.http.get(path)
        api.http.request("BREW", "/api/videos")
        after = metrics_of(api)
        status = "/api/videos/{video_id}/status"
        assert request_count(after, "GET", status, 404) == request_count(before, "GET", status, 404) + 2
        assert request_count(after, "GET", "/api/videos", 401) == request_count(before, "GET", "/api/videos", 401) + 1
        assert not [name for name in after if "nothing" in name or "BREW" in name]

    def test_what_there_is_to_do_is_counted_a_few_seconds_late_at_most(self, api: Api) -> None:
        before = metrics_of(api)
        begin(api.http)
        until = time.monotonic() + 15
        name = 'biblio_videos{status="UPLOADING"}'
        while metrics_of(api)[name] < before[name] + 1:
            assert time.monotonic() < until
            time.sleep(0.5)
        assert before["biblio_catalog_up"] == 1
        assert {f'biblio_jobs_ready{{queue="{queue}"}}' for queue in Queue} <= set(before)

    def test_there_is_nothing_of_a_user_or_a_video_in_it(self, api: Api) -> None:
        video_id = begin(api.http)
        api.http.get("/api/search", params={"q": "a-private-question"})
        text = httpx.get(f"{api.http.base_url}/metrics").text
        for private in (video_id, api.user_id, "a-private-question", api.http.headers["Authorization"][7:]):
            assert private not in text

    def test_a_catalog_that_is_away_or_silent_leaves_the_rest(self, addresses: Mapping[str, str]) -> None:
        with silent() as port, broken_api(addresses, DATABASE=f"postgresql+psycopg://x@127.0.0.1:{port}/x") as url:
            began = time.monotonic()
            found = numbers(httpx.get(f"{url}/metrics", timeout=30).text)
            assert time.monotonic() - began < 4
        assert found["biblio_catalog_up"] == 0
        assert "process_cpu_seconds_total" in found


def ready(url: str) -> tuple[int, dict[str, str], float]:
    began = time.monotonic()
    answer = httpx.get(f"{url}/readyz", timeout=30)
    return answer.status_code, answer.json()["checks"], time.monotonic() - began


@pytest.fixture(scope="class")
def prepared(api: Api) -> None:
    api.services.vectors.prepare()


@pytest.mark.usefixtures("prepared")
class TestReadiness:
    def test_it_names_every_engine_every_queue_and_the_sweep(self, api: Api) -> None:
        leadership, names = api.services.catalog.leadership(SWEEP), {queue: f"{queue}@{uuid4()}" for queue in Queue}
        until = time.monotonic() + 60  # the embedder may still be reading its weights
        try:
            while True:
                with api.services.catalog.transaction() as tx:
                    for queue, name in names.items():
                        tx.workers.seen(name, queue)
                assert leadership.is_mine()
                state = ready(str(api.http.base_url))
                if state[0] == 200:
                    break
                assert time.monotonic() < until, state
        finally:
            leadership.resign()
        assert state[1] == dict.fromkeys([*ENGINES, *OTHERS], "ok")

    def test_without_workers_it_says_whose_and_without_a_leader_that(
        self, api: Api, addresses: Mapping[str, str]
    ) -> None:
        with look_into(addresses["BIBLIO_DATABASE"]) as connection:
            connection.execute("DELETE FROM workers")
        status, checks, _ = ready(str(api.http.base_url))
        assert status == 503
        assert {name: checks[name] for name in OTHERS} == {
            "media worker": "no living worker",
            "ai worker": "no living worker",
            "index worker": "no living worker",
            "sweep": "no worker leads it",
        }

    @pytest.mark.parametrize(
        ("setting", "address", "missing"),
        [
            ("QUEUE", f"redis://{AWAY}/0", "queue"),
            ("LIMITER", f"redis://{AWAY}/1", "limiter"),
            ("STORAGE", f"s3://a:b@biblio?endpoint=http://{AWAY}", "storage"),
        ],
    )
    def test_it_names_the_engine_that_is_missing_and_no_other(
        self, addresses: Mapping[str, str], setting: str, address: str, missing: str
    ) -> None:
        with broken_api(addresses, **{setting: address}) as url:
            until = time.monotonic() + 30
            while (checks := ready(url)[1])["embedder"] != "ok":
                assert time.monotonic() < until
        assert {name for name in ENGINES if checks[name] != "ok"} == {missing}
        assert checks[missing].endswith(".")

    def test_engines_that_hang_cost_two_seconds_together_however_often_it_is_asked(
        self, addresses: Mapping[str, str]
    ) -> None:
        with ExitStack() as stack:
            ports = [stack.enter_context(silent()) for _ in range(3)]
            url = stack.enter_context(
                broken_api(
                    addresses,
                    QUEUE=f"redis://127.0.0.1:{ports[0]}/0",
                    STORAGE=f"s3://a:b@biblio?endpoint=http://127.0.0.1:{ports[1]}",
                    DATABASE=f"postgresql+psycopg://x@127.0.0.1:{ports[2]}/x",
                )
            )
            for _ in range(3):
                status, checks, seconds = ready(url)
                assert status == 503
                assert seconds < 8, "one of them alone takes longer, and all of them together 40 s"
                for name in ("queue", "storage", "catalog"):
                    assert checks[name] != "ok"
                assert checks["limiter"] == "ok"
                assert all(checks[name] != "ok" for name in OTHERS)


class TestRequestLog:
    def test_a_request_has_an_id_of_its_own_or_its_callers_where_that_is_one(self, api: Api) -> None:
        own = [api.http.get("/healthz").headers["X-Request-Id"] for _ in range(2)]
        assert own[0] != own[1]
        for given in ("a-b_c.1:2", "x" * 64):
            assert api.http.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
        for wrong in ("", "x" * 65, "a b", "a\tb", '"><script>', "한글"):
            answer = api.http.get("/healthz", headers=[(b"X-Request-Id", wrong.encode())])
            assert len(answer.headers["X-Request-Id"]) == 32
        assert api.http.get("/no-such-page").headers["X-Request-Id"]

    def test_each_request_is_one_line_that_says_whose_it_was_and_how_it_went(
        self, api: Api, lines: Callable[[], list[dict[str, Any]]]
    ) -> None:
        video_id = begin(api.http)
        api.http.get(f"/api/videos/{video_id}/status", headers={"X-Request-Id": "mine"})
        httpx.get(f"{api.http.base_url}/api/videos/{video_id}", headers={"Authorization": "Bearer wrong-key"})
        created, status, refused = lines()
        expected = {"method": "POST", "route": "/api/videos", "status": 201, "user": api.user_id, "video": video_id}
        assert created.items() >= expected.items()
        expected = {"method": "GET", "route": "/api/videos/{video_id}/status", "status": 200, "video": video_id}
        assert status.items() >= {**expected, "user": api.user_id, "request": "mine"}.items()
        assert 0 < status["ms"] < 30_000
        assert refused["status"] == 401
        assert "user" not in refused

    def test_what_was_asked_stands_nowhere(self, api: Api, lines: Callable[[], list[dict[str, Any]]]) -> None:
        api.http.get("/api/search", params={"q": "a-private-question"})
        api.http.get("/api/videos", params={"api_key": "put-there-by-mistake", "cursor": "put-there-too"})
        text = json.dumps(lines())
        assert text.count('"route"') == 2
        assert "a-private" not in text
        assert "put-there" not in text

    def test_those_who_ask_every_second_are_no_news(self, api: Api, lines: Callable[[], list[dict[str, Any]]]) -> None:
        for path in ("/healthz", "/metrics"):
            api.http.get(path)
        assert lines() == []


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Of the log of requests."""
    stream, log = io.StringIO(), logging.getLogger("biblio.entrypoints.api.requests")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)

    def read() -> list[dict[str, Any]]:
        time.sleep(0.3)  # a line is written after its answer was sent
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    log.removeHandler(handler)
