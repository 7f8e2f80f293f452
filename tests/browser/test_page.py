"""The page in a real browser, on a whole library with real workers: drop, wait, ask in Korean, play."""

import base64
from importlib.resources import files
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import current_time, listen, plays_from, search_box, sign_in

TALK = Path(str(files("biblio.local.sample") / "talk.mp4"))
TITLE = "브라우저에서 올린 강의"
QUESTION = "배운 것을 언제 복습해야 하나요?"
DROP = """
([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: 'video/mp4' }));
  const on = document.querySelector('#content');
  for (const kind of ['dragover', 'drop']) {
    on.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
  }
}
"""


class Server(Protocol):
    url: str
    key: str


def test_drop_wait_ask_and_play(page: Page, server: Server) -> None:
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, origin(request.url))))
    sign_in(page, server.url, server.key)
    broken = listen(page)
    page.evaluate(DROP, [f"{TITLE}.mp4", base64.b64encode(TALK.read_bytes()).decode()])
    video = page.locator("article.card", has_text=TITLE)
    seen = progress_until_ready(page)
    expect(video).to_have_attribute("data-status", "COMPLETED")
    assert len(seen) >= 3, f"progress moved: {seen}"
    assert seen == sorted(seen)

    search_box(page).fill(QUESTION)
    found = page.locator("article.found", has_text=TITLE)
    moment = found.locator(".moment-play").first
    expect(moment).to_contain_text("review")
    expect(page).to_have_url(f"{server.url}/search?{urlencode({'q': QUESTION})}")
    start = float(moment.get_attribute("data-start") or "nan")
    assert start <= plays_from(page, moment.click) <= start + 0.5

    found.get_by_label("에서 열기").first.click()
    expect(page.locator(".sentence[aria-current]")).to_contain_text("review")
    assert current_time(page) >= start - 0.01

    storage = {where for method, where in asked if method == "PUT"}
    assert len(storage) == 1
    assert storage != {origin(server.url)}, "the upload must not pass through the API"
    assert {where for _, where in asked if where != "blob://"} == storage | {origin(server.url)}
    assert broken == []


def test_what_storage_refuses_is_told_and_leaves_nothing(page: Page, server: Server) -> None:
    refusal = "<Error><Code>EntityTooLarge</Code><Message>Too large for this bucket.</Message></Error>"
    headers = {"Access-Control-Allow-Origin": server.url}
    page.route("**/original.mp4*", lambda route: route.fulfill(status=400, headers=headers, body=refusal))
    before = uploading(server)
    sign_in(page, server.url, server.key)
    with page.expect_response(lambda answer: answer.request.method == "DELETE" and answer.status == 202):
        page.set_input_files("#files", TALK)
    row = page.locator(".upload")
    expect(row.locator(".problem")).to_contain_text("Too large for this bucket.")
    row.get_by_label("목록에서 빼기").click()
    expect(row).to_have_count(0)
    assert uploading(server) == before


def progress_until_ready(page: Page) -> list[int]:
    """What the bar showed, each once."""
    watched = page.evaluate_handle(
        """
        (title) => new Promise((done) => {
          const seen = [];
          setInterval(() => {
            const card = [...document.querySelectorAll('article.card')].find((one) => one.textContent.includes(title));
            const now = card?.querySelector('[role="progressbar"]')?.getAttribute('aria-valuenow');
            if (now !== undefined && now !== null && seen.at(-1) !== Number(now)) seen.push(Number(now));
            if (['COMPLETED', 'FAILED'].includes(card?.dataset.status)) done(seen);
          }, 20);
          setTimeout(() => done(seen), 240_000);
        })
        """,
        TITLE,
    )
    seen: list[int] = watched.json_value()
    return seen


def uploading(server: Server) -> set[str]:
    key = {"Authorization": f"Bearer {server.key}"}
    found = httpx.get(f"{server.url}/api/videos", params={"status": "UPLOADING", "limit": 100}, headers=key)
    return {video["video_id"] for video in found.json()["videos"]}


def origin(url: str) -> str:
    scheme, host, *_ = urlsplit(url)
    return f"{scheme}://{'' if scheme == 'blob' else host}"
