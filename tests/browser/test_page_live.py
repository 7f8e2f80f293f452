"""The library in a real browser hears of changes by a socket, and goes on by asking where there is none."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure
from biblio.pipeline.upload import NewVideo, begin_upload
from tests.api.conftest import Api, running_api

SOON_MS = 30_000


@pytest.fixture(scope="module")
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="10000") as api:
        yield api


@pytest.fixture
def video_id(api: Api) -> str:
    with api.services.catalog.transaction() as tx:
        video, _ = begin_upload(api.services, tx, api.user_id, NewVideo("강의.mp4", 9))
        tx.videos.update(video.id, status=Status.PENDING)
    return video.id


def test_changes_are_heard_and_not_asked_for(page: Page, api: Api, video_id: str) -> None:
    asked: list[str] = []
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    assert "key" not in open_live_library(page, api)
    page.wait_for_timeout(2_000)  # it asks once more, for what happened before the socket was there
    page.on("request", lambda request: asked.append(request.url))
    row = page.locator("#videos .row").first
    change(api, video_id, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=10)
    expect(row).to_have_attribute("data-status", "TRANSCRIBING", timeout=SOON_MS)
    change(api, video_id, progress=42)
    expect(row.locator("progress")).to_have_js_property("value", 42, timeout=SOON_MS)
    assert [url for url in asked if url.endswith("/status")] == []
    change(api, video_id, title="새 제목")
    expect(row.locator(".title")).to_have_text("새 제목", timeout=SOON_MS)
    change(api, video_id, status=Status.DELETING)
    expect(row).to_have_count(0, timeout=SOON_MS)
    assert broken == []


def test_work_is_canceled_and_begun_again(page: Page, api: Api, video_id: str) -> None:
    change(api, video_id, etag="etag")
    open_live_library(page, api)
    row = page.locator("#videos .row").first
    steer = row.locator(".steer")
    steer.click(timeout=SOON_MS)
    expect(row).to_have_attribute("data-status", "CANCELED", timeout=SOON_MS)
    expect(steer).to_be_hidden()
    change(api, video_id, status=Status.FAILED, failure=Failure(Step.EXTRACT, "CODE", "문장."))
    expect(row.locator(".problem")).to_have_text("문장.", timeout=SOON_MS)
    steer.click()
    expect(row).to_have_attribute("data-status", "PENDING", timeout=SOON_MS)


def test_without_sockets_the_library_asks(page: Page, api: Api, video_id: str) -> None:
    page.add_init_script("window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.()); } };")
    open_library(page, api)
    row = page.locator("#videos .row").first
    change(api, video_id, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=10)
    expect(row).to_have_attribute("data-status", "TRANSCRIBING", timeout=SOON_MS)


def open_live_library(page: Page, api: Api) -> str:
    """The address of its socket."""
    with page.expect_websocket(timeout=SOON_MS) as opening, page.expect_response("**/status", timeout=SOON_MS):
        open_library(page, api)
    return opening.value.url


def open_library(page: Page, api: Api) -> None:
    key = api.http.headers["Authorization"].removeprefix("Bearer ")
    page.goto(f"{str(api.http.base_url).rstrip('/')}/#key={key}", timeout=SOON_MS)
    page.wait_for_function("() => !location.hash.includes('key')")


def change(api: Api, video_id: str, **changes: Any) -> None:
    with api.services.catalog.transaction() as tx:
        tx.videos.update(video_id, **changes)
