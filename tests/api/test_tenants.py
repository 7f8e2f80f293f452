"""What belongs to another user is not there: every route of the OpenAPI document, with other users' ids and keys."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from biblio.domain.flow import Queue
from biblio.entrypoints import api
from biblio.entrypoints.api.access import services_of, user_of
from biblio.local.sample import TALK
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import work
from tests.api.conftest import Api, running_api

BODIES: dict[tuple[str, str], Any] = {
    ("post", "/api/session"): {"key": "nobodys"},
    ("patch", "/api/videos/{video_id}"): {"title": "mine now"},
    ("post", "/api/videos/{video_id}/upload/parts"): {"numbers": [1]},
    ("post", "/api/videos/{video_id}/reprocess"): {"step": "extract"},
}
QUERIES = {"/api/videos/{video_id}/similar": {"t": 1}}
OPEN = {"/healthz", "/readyz", "/metrics", "/api/storage-events"}
"""Without a user's key, and without anything that is a user's."""


@dataclass(frozen=True)
class Victim:
    """A user with a video in every state that has something to see."""

    http: httpx.Client
    user_id: str
    videos: tuple[str, ...]
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def tenants(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="100000", SPEECH="scripted://", MULTIPART_THRESHOLD="5242880") as api:
        api.services.vectors.prepare()
        yield api


@pytest.fixture(scope="module")
def victim(tenants: Api) -> Victim:
    http, secret = tenants.http, uuid4().hex
    whole = _uploaded(http, secret)
    while any(work(tenants.services, queue, Worker("tenants")) for queue in Queue):
        pass
    assert http.get(f"/api/videos/{whole}/status").json()["status"] == "COMPLETED"
    parts = http.post("/api/videos", json={"file_name": f"{secret}.mp4", "file_size": 6 * 1024**2}).json()["video_id"]
    gone = _uploaded(http, secret)
    http.delete(f"/api/videos/{gone}").raise_for_status()
    while any(work(tenants.services, queue, Worker("tenants")) for queue in Queue):
        pass
    waiting = _uploaded(http, secret)
    script = http.get(f"/api/videos/{whole}").json()["script"]
    return Victim(http, tenants.user_id, (whole, parts, gone, waiting), (secret, script[:40], tenants.user_id))


def test_another_users_videos_are_not_there_whatever_is_called(tenants: Api, victim: Victim) -> None:
    before = [victim.http.get(f"/api/videos/{video_id}").text for video_id in victim.videos]
    unknown, asked = str(uuid4()), 0
    with tenants.stranger() as stranger:
        for method, path in _operations(tenants):
            if "{video_id}" not in path:
                continue
            for video_id in victim.videos:
                answers = [_call(stranger, method, path, one) for one in (video_id, unknown)]
                assert answers[0].status_code == 404, f"{method} {path}"
                assert answers[0].text == answers[1].text, "a stranger may not even learn that it exists"
                asked += 1
    assert asked >= 40
    assert [victim.http.get(f"/api/videos/{video_id}").text for video_id in victim.videos] == before


def test_nothing_of_another_user_is_in_any_answer(tenants: Api, victim: Victim) -> None:
    script = victim.secrets[1]
    with tenants.stranger() as stranger:
        questions = [{"q": script}, *({"q": script, "mode": mode} for mode in ("keyword", "semantic", "hybrid"))]
        answers = [stranger.get("/api/search", params=params) for params in questions]
        answers += [stranger.get("/api/search", params={"q": script, "video_id": one}) for one in victim.videos]
        answers += [stranger.get("/api/videos"), stranger.get("/api/usage", params={"from": "2020-01-01"})]
        answers += [stranger.get(path) for path in OPEN - {"/api/storage-events"}]
    seen = [answer.text.replace(script, "", 1) for answer in answers]  # an answer names its question
    assert [secret for text in seen for secret in (*victim.secrets, *victim.videos) if secret in text] == []
    assert answers[0].json()["results"] == []
    with tenants.stranger() as stranger:
        typed = [stranger.get("/api/search/suggest", params={"q": word[:2]}) for word in script.split()]
    assert [answer.json()["suggestions"] for answer in typed] == [[]] * len(script.split())
    assert victim.http.get("/api/search", params={"q": script}).json()["results"], "its owner does find it"
    assert victim.http.get("/api/search/suggest", params={"q": "벡터"}).json()["suggestions"]


def test_every_route_needs_a_key(tenants: Api, victim: Victim) -> None:
    with httpx.Client(base_url=tenants.http.base_url) as nobody:
        for method, path in _operations(tenants):
            if path in OPEN:
                continue
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dTpw"}):
                answer = _call(nobody, method, path, victim.videos[0], headers=headers)
                assert answer.status_code == 401, f"{method} {path} {headers}"


def test_a_route_with_a_key_has_only_what_its_user_sees() -> None:
    """One that is given everybody's catalog would rely on its queries alone."""
    modules = [import_module(f"{api.__name__}.{one.name}") for one in iter_modules(api.__path__)]
    routers = [module.router for module in modules if isinstance(getattr(module, "router", None), APIRouter)]
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    asked = [(route.path, [one.call for one in route.dependant.dependencies]) for route in routes]
    assert sum(user_of in calls for _, calls in asked) >= 15
    assert [path for path, calls in asked if user_of in calls and services_of in calls] == []


def _operations(tenants: Api) -> list[tuple[str, str]]:
    document = tenants.http.get("/api/openapi.json").json()
    return [(method, path) for path, methods in document["paths"].items() for method in methods]


def _call(
    http: httpx.Client, method: str, path: str, video_id: str, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    body = BODIES.get((method, path), {} if method in ("post", "put", "patch") else None)
    url = re.sub(r"\{video_id\}", video_id, path)
    return http.request(method, url, params=QUERIES.get(path), json=body, headers=headers)


def _uploaded(http: httpx.Client, title: str) -> str:
    content = TALK.read_bytes()
    wish = {"file_name": "talk.mp4", "file_size": len(content), "title": title}
    begun = http.post("/api/videos", json=wish).raise_for_status().json()
    httpx.put(begun["upload"]["url"], content=content, headers=begun["upload"]["headers"]).raise_for_status()
    http.post(f"/api/videos/{begun['video_id']}/upload-complete").raise_for_status()
    return str(begun["video_id"])
