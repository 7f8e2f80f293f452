"""A real Chromium, and what its tests send."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Page, Request, sync_playwright

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
