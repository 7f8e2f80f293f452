"""Lists over HTTP: what may be asked for, and what is refused."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from biblio.domain.flow import Status
from tests.api.conftest import Api, running_api

TITLES = {
    "강의 10": Status.FAILED,
    "강의 2": Status.CANCELED,
    "Lecture": Status.COMPLETED,
    "lecture 1": Status.UPLOADING,
}


@pytest.fixture(scope="module")
def shelf(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="10000") as api:
        for title, status in TITLES.items():
            wish = {"file_name": "a.mp4", "file_size": 9, "title": title}
            video_id = api.http.post("/api/videos", json=wish).json()["video_id"]
            with api.services.catalog.transaction() as tx:
                tx.videos.update(video_id, status=status, language="ko" if "강" in title else None)
        yield api


def listed(http: httpx.Client, **asked: Any) -> list[str]:
    answer = http.get("/api/videos", params=asked).raise_for_status().json()
    return [video["title"] for video in answer["videos"]]


def test_order_and_choice(shelf: Api) -> None:
    assert listed(shelf.http) == listed(shelf.http, sort="newest") == [*reversed(TITLES)]
    assert listed(shelf.http, sort="title") == ["Lecture", "lecture 1", "강의 2", "강의 10"]
    assert listed(shelf.http, sort="title", status=["FAILED", "CANCELED"]) == ["강의 2", "강의 10"]
    assert listed(shelf.http, title="LECT", status="COMPLETED") == ["Lecture"]
    assert listed(shelf.http, language="ko", sort="oldest") == ["강의 10", "강의 2"]


def test_a_count_is_there_when_it_was_asked_for(shelf: Api) -> None:
    answer = shelf.http.get("/api/videos", params={"count": "true", "limit": 1, "title": "강의"}).json()
    assert (answer["total"], len(answer["videos"])) == (2, 1)
    assert set(shelf.http.get("/api/videos").json()) == {"videos", "next"}


def test_no_video_has_a_picture_before_one_was_taken(shelf: Api) -> None:
    assert {video["poster_url"] for video in shelf.http.get("/api/videos").json()["videos"]} == {None}


@pytest.mark.parametrize(
    "asked", [{"sort": "best"}, {"status": ["FAILED", "GONE"]}, {"title": "x" * 201}, {"limit": 0}]
)
def test_what_no_list_takes(shelf: Api, asked: dict[str, Any]) -> None:
    answer = shelf.http.get("/api/videos", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_INPUT")


def test_a_cursor_belongs_to_its_order(shelf: Api) -> None:
    cursor = shelf.http.get("/api/videos", params={"limit": 1, "sort": "title"}).json()["next"]
    assert listed(shelf.http, sort="title", cursor=cursor) == ["lecture 1", "강의 2", "강의 10"]
    assert shelf.http.get("/api/videos", params={"cursor": cursor}).json()["code"] == "INVALID_CURSOR"
