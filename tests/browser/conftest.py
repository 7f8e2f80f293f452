"""A real Chromium, and what its tests send."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, sync_playwright

from tests.api.conftest import Api

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def open_page(*flags: str, locale: str = "ko-KR", **context: Any) -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("This test needs the browser `chromium`: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])
        try:
            yield browser.new_page(locale=locale, **context)
        finally:
            browser.close()


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page() as page:
        yield page


def key_of(api: Api) -> str:
    return str(api.http.headers["Authorization"].removeprefix("Bearer "))


def url_of(api: Api) -> str:
    return str(api.http.base_url).rstrip("/")


def sign_in(page: Page, url: str, key: str) -> None:
    """As its reader does who pastes a key."""
    page.goto(url)
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_selector("#library-title")


def enter(page: Page, api: Api, path: str = "") -> None:
    """Signed in already, by the cookie that pasting a key would have given."""
    answer = page.context.request.post(f"{url_of(api)}/api/session", data={"key": key_of(api)})
    assert answer.ok, answer.text()
    page.goto(f"{url_of(api)}{path}")


def card(page: Page, video_id: str) -> Locator:
    """A video in the library."""
    return page.locator(f'article.card[data-id="{video_id}"]')


def search_box(page: Page) -> Locator:
    """The one on top of every page."""
    return page.locator("input[name=q]")


def listen(page: Page) -> list[str]:
    """All that breaks on the page, as it breaks. That nobody is signed in yet is no mistake."""
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    return broken


def plays_from(page: Page, act: Callable[[], None]) -> float:
    """Where a player begins once `act` is done. The page itself looks: a slow machine would read the clock late."""
    page.evaluate(
        "() => { window.begins = new Promise((tell) => document.addEventListener("
        "'playing', ({ target }) => tell(target.currentTime), { capture: true, once: true })); }"
    )
    act()
    return float(page.evaluate("() => window.begins"))


def current_time(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def write_film(path: Path, size: int) -> Path:
    """MP4's first box, then noise: taken as a film, and soon found to have no sound."""
    head = bytes.fromhex("00000018") + b"ftypisom" + bytes(4) + b"isommp41"
    path.write_bytes(head + Random(size).randbytes(size - len(head)))
    return path


def part_number(request: Request) -> int:
    return int(parse_qs(urlsplit(request.url).query)["partNumber"][0])


def multipart_upload(request: Request) -> tuple[str, str]:
    """The key and the upload's id that a part is sent to; the bucket stands first in the path."""
    parts = urlsplit(request.url)
    return unquote(parts.path).split("/", 2)[2], parse_qs(parts.query)["uploadId"][0]
