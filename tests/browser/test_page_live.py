"""The library in a real browser hears of changes by a socket, and goes on by asking where there is none."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure
from biblio.pipeline.upload import NewVideo, begin_upload
from tests.api.conftest import Api, running_api
from tests.browser.conftest import card, enter, listen

SOON_MS = 30_000


@pytest.fixture(scope="module")
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="10000") as api:
        yield api


@pytest.fixture
def video_id(api: Api) -> str:
    return new_video(api)


def test_changes_are_heard_and_not_asked_for(page: Page, api: Api, video_id: str) -> None:
    asked: list[str] = []
    broken = listen(page)
    assert "key" not in open_live_library(page, api)
    page.wait_for_timeout(1_000)  # it asks once more, for what happened before the socket was there
    page.on("request", lambda request: asked.append(request.url))
    row = card(page, video_id)
    change(api, video_id, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=10)
    expect(row).to_have_attribute("data-status", "TRANSCRIBING", timeout=SOON_MS)
    change(api, video_id, progress=42)
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42", timeout=SOON_MS)
    assert [url for url in asked if url.endswith("/status")] == []
    change(api, video_id, title="새 제목")
    expect(row.locator(".card-title")).to_have_text("새 제목", timeout=SOON_MS)
    change(api, video_id, status=Status.DELETING)
    expect(row).to_have_count(0, timeout=SOON_MS)
    assert broken == []


def test_what_comes_from_elsewhere_appears_by_itself(page: Page, api: Api) -> None:
    open_live_library(page, api)
    page.wait_for_timeout(1_000)
    video_id = new_video(api)
    change(api, video_id, status=Status.EXTRACTING, step=Step.EXTRACT)
    expect(card(page, video_id)).to_have_attribute("data-status", "EXTRACTING", timeout=SOON_MS)


def test_work_is_stopped_and_begun_again(page: Page, api: Api, video_id: str) -> None:
    change(api, video_id, etag="etag", duration=9.0)
    open_live_library(page, api)
    row = card(page, video_id)
    row.get_by_label("메뉴").click(timeout=SOON_MS)
    page.get_by_role("menuitem", name="처리 중지").click()
    expect(row).to_have_attribute("data-status", "CANCELED", timeout=SOON_MS)
    change(api, video_id, status=Status.FAILED, failure=Failure(Step.EXTRACT, "CODE", "문장."))
    expect(row.locator(".card-problem")).to_have_text("문장.", timeout=SOON_MS)
    change(api, video_id, failure=Failure(Step.EXTRACT, "NO_AUDIO_TRACK", "No sound."))
    expect(row.locator(".card-problem")).to_contain_text("소리가 있는 파일을 추가해 주세요", timeout=SOON_MS)
    row.get_by_role("button", name="다시 처리").click()
    expect(row).to_have_attribute("data-status", "PENDING", timeout=SOON_MS)


def test_a_video_that_is_gone_does_not_come_back_by_a_late_answer(page: Page, api: Api, video_id: str) -> None:
    open_live_library(page, api)
    row = card(page, video_id)
    expect(row).to_be_visible()
    answered: list[str] = []

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        change(api, video_id, status=Status.DELETING)
        expect(row).to_have_count(0, timeout=SOON_MS)
        route.fulfill(response=answer)
        answered.append(answer.json()["status"])

    page.route(f"**/api/videos/{video_id}", answer_late)
    change(api, video_id, status=Status.CANCELED)
    for _ in range(SOON_MS // 100):
        if not answered:
            page.wait_for_timeout(100)
    assert answered == ["CANCELED"]
    page.wait_for_timeout(1_000)
    expect(row).to_have_count(0)


def test_deleting_warns_first(page: Page, api: Api, video_id: str) -> None:
    enter(page, api)
    row = card(page, video_id)
    row.get_by_label("메뉴").click()
    page.get_by_role("menuitem", name="삭제").click()
    expect(page.get_by_role("dialog")).to_contain_text("되돌릴 수 없습니다")
    page.get_by_role("dialog").get_by_role("button", name="취소").click()
    expect(row).to_be_visible()
    row.get_by_label("메뉴").click()
    page.get_by_role("menuitem", name="삭제").click()
    page.get_by_role("dialog").get_by_role("button", name="삭제").click()
    expect(row).to_have_count(0)
    assert api.http.get(f"/api/videos/{video_id}").status_code == 404


def test_without_sockets_the_library_asks(page: Page, api: Api, video_id: str) -> None:
    page.add_init_script("window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.()); } };")
    enter(page, api)
    row = card(page, video_id)
    expect(row).to_be_visible()
    change(api, video_id, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=10)
    expect(row).to_have_attribute("data-status", "TRANSCRIBING", timeout=SOON_MS)


def test_a_dropped_line_is_told_quietly_and_caught_up_with(page: Page, api: Api, video_id: str) -> None:
    open_live_library(page, api)
    row = card(page, video_id)
    expect(row).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator(".banner")).to_contain_text("서버에 연결할 수 없습니다", timeout=SOON_MS)
    change(api, video_id, status=Status.EMBEDDING, step=Step.EMBED, progress=88)
    page.wait_for_timeout(500)
    expect(row).to_have_attribute("data-status", "PENDING")
    page.context.set_offline(False)
    expect(row).to_have_attribute("data-status", "EMBEDDING", timeout=SOON_MS)
    expect(page.locator(".banner")).to_have_count(0)


def open_live_library(page: Page, api: Api) -> str:
    """The address of its socket."""
    with page.expect_websocket(timeout=SOON_MS) as opening:
        enter(page, api)
    page.wait_for_selector("#library-title")
    return opening.value.url


def new_video(api: Api) -> str:
    with api.services.catalog.transaction() as tx:
        video, _ = begin_upload(api.services, tx, api.user_id, NewVideo("강의.mp4", 9))
        tx.videos.update(video.id, status=Status.PENDING)
    return video.id


def change(api: Api, video_id: str, **changes: Any) -> None:
    with api.services.catalog.transaction() as tx:
        tx.videos.update(video_id, **changes)
