"""The page in a real browser: upload, wait, ask, play."""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Page, expect

TALK = str(files("biblio.local.sample") / "talk.mp4")
TITLE = "브라우저에서 올린 강의"
PROCESSING_MS = 240_000


class Server(Protocol):
    url: str
    key: str


def test_upload_search_and_play(page: Page, server: Server, tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append((request.method, origin(request.url))))
    page.on("pageerror", lambda error: broken.append(str(error)))
    film = shutil.copy(TALK, tmp_path / f"{TITLE}.mp4")

    page.goto(f"{server.url}/#key={server.key}")
    page.wait_for_function("() => !location.hash.includes('key')")
    page.set_input_files("#files", film)
    row = page.locator("#videos .row", has_text=TITLE)
    expect(row).to_have_attribute("data-status", "COMPLETED", timeout=PROCESSING_MS)

    page.fill("#question", "배운 것을 언제 복습해야 하나요?")
    moment = page.locator("#results article", has_text=TITLE).locator("a.moment").first
    expect(moment).to_contain_text("review")
    start = float((moment.get_attribute("href") or "").partition("&t=")[2])
    moment.click()
    page.wait_for_function("() => document.querySelector('#video').readyState >= 2")
    assert start <= page.evaluate("() => document.querySelector('#video').currentTime") <= start + 1.5
    expect(page.locator("#sentences [aria-current]")).to_contain_text("review")

    storage = {where for method, where in asked if method == "PUT"}
    assert len(storage) == 1
    assert storage != {origin(server.url)}, "the upload must not pass through the API"
    assert {where for _, where in asked} == storage | {origin(server.url)}
    assert broken == []


def test_what_storage_refuses_is_told_and_leaves_nothing(page: Page, server: Server) -> None:
    refusal = "<Error><Code>EntityTooLarge</Code><Message>Too large for this bucket.</Message></Error>"
    headers = {"Access-Control-Allow-Origin": server.url}
    page.route("**/original.mp4*", lambda route: route.fulfill(status=400, headers=headers, body=refusal))
    before = uploading(server)
    page.goto(f"{server.url}/#key={server.key}")
    page.wait_for_function("() => !location.hash.includes('key')")
    with page.expect_response(lambda answer: answer.request.method == "DELETE" and answer.status == 202):
        page.set_input_files("#files", TALK)
    row = page.locator("#uploads .row")
    expect(row.locator(".problem")).to_contain_text("Too large for this bucket.")
    row.locator(".remove").click()
    expect(row).to_have_count(0)
    assert uploading(server) == before


def uploading(server: Server) -> set[str]:
    key = {"Authorization": f"Bearer {server.key}"}
    found = httpx.get(f"{server.url}/api/videos", params={"status": "UPLOADING", "limit": 100}, headers=key)
    return {video["video_id"] for video in found.json()["videos"]}


def origin(url: str) -> str:
    scheme, host, *_ = urlsplit(url)
    return f"{scheme}://{host}"
