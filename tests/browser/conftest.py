"""A real Chromium."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def open_page(*flags: str, locale: str = "ko-KR") -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("This test needs the browser `chromium`: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])
        try:
            yield browser.new_page(locale=locale)
        finally:
            browser.close()


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page() as page:
        yield page
