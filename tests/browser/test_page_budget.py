"""How fast and how large the page is: ready within a second, a light first view, thousands of things without a jerk."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from biblio.domain.flow import Status
from biblio.domain.video import Options, Video
from tests.api.conftest import Api
from tests.browser.conftest import enter
from tests.browser.shelf import Shelf, running_shelf
from tests.database import look_into

READY_MS = 1000
SCRIPT_BYTES = 250_000
AIM_BYTES = 130_000
VIDEOS, SENTENCES = 10_000, 5_000
TITLE = "번째 강의: 트랜잭션과 격리 수준, 색인과 벡터 검색"
LIKE_IT = """
INSERT INTO videos SELECT (jsonb_populate_record(first, jsonb_build_object(
  'id', gen_random_uuid(), 'title', number || %(title)s, 'title_folded', number || %(title)s,
  'title_key', number || %(title)s, 'created_at', first.created_at - number * interval '1 minute'
))).* FROM videos AS first, generate_series(2, %(videos)s) AS number WHERE first.id = %(one)s
"""
ROUNDS = 12
"""At most. Other programs on the machine make tasks long, too: one round without any shows that the page makes none."""
WATCH = """
window.ready = null;
new MutationObserver(() => {
  if (window.ready === null && document.querySelector('article.card')) window.ready = performance.now();
}).observe(document, { childList: true, subtree: true });
window.long = [];
new PerformanceObserver((list) => window.long.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask' });
"""
SCRIPTS = """
() => performance.getEntriesByType('resource')
  .filter(({ name }) => name.endsWith('.js')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)
"""


@pytest.fixture(scope="module")
def shelf(own_addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with running_shelf(own_addresses, tmp_path_factory.mktemp("shelf")) as shelf:
        add_videos(shelf.api, own_addresses["BIBLIO_DATABASE"])
        yield shelf


def add_videos(api: Api, database: str) -> None:
    """The first as any other, the rest after its likeness."""
    one, at = str(uuid4()), datetime.now(UTC) - timedelta(minutes=1)
    title = f"1{TITLE}"
    key = f"videos/{one}/original.mp4"
    status = Status.COMPLETED
    with api.services.catalog.transaction() as tx:
        tx.videos.add(
            Video(one, api.user_id, title, "a.mp4", 1, "video/mp4", key, status, Options(), at, at, duration=60.0)
        )
    with look_into(database) as connection:
        connection.execute(LIKE_IT, {"one": one, "title": TITLE, "videos": VIDEOS})


@pytest.fixture
def watched(page: Page) -> Page:
    page.add_init_script(WATCH)
    return page


def test_the_library_is_ready_within_a_second_and_light(watched: Page, shelf: Shelf) -> None:
    times: list[float] = []
    while not times or (min(times) >= READY_MS and len(times) < ROUNDS):
        enter(watched, shelf.api)
        watched.wait_for_function("() => window.ready !== null")
        times.append(watched.evaluate("window.ready"))
    assert min(times) < READY_MS, times
    scripts = watched.evaluate(SCRIPTS)
    assert scripts < min(SCRIPT_BYTES, AIM_BYTES), f"{scripts} bytes of script"


def test_ten_thousand_videos_scroll_without_a_long_task(watched: Page, shelf: Shelf) -> None:
    enter(watched, shelf.api)
    expect(watched.locator("article.card").first).to_be_visible()
    expect(watched.locator(".count")).to_contain_text("10,001")
    watched.mouse.move(600, 500)
    assert any(not long_tasks(watched, step=900) for _ in range(ROUNDS))
    assert watched.locator("article.card").count() < 100, "only what is in sight is drawn"


def test_the_last_of_ten_thousand_videos_is_reached(watched: Page, shelf: Shelf) -> None:
    enter(watched, shelf.api)
    expect(watched.locator("article.card").first).to_be_visible()
    watched.evaluate("setInterval(() => window.scrollTo(0, document.body.scrollHeight), 20)")
    last = watched.locator(".card-title", has_text=f"{VIDEOS}번째 강의")
    expect(last).to_be_visible(timeout=120_000)


def test_five_thousand_sentences_scroll_without_a_long_task(watched: Page, shelf: Shelf) -> None:
    words = ["그래서", "트랜잭션은", "전부", "되거나", "전부", "안", "되거나", "둘", "중", "하나입니다"]

    def sentence(number: int) -> dict[str, object]:
        at = number * 0.018
        timed = [[word, at + place * 0.002, at + place * 0.002 + 0.002] for place, word in enumerate(words)]
        return {"transcript": " ".join(words), "start_time": at, "end_time": at + 0.018, "words": timed}

    script = {"language": "ko", "results": [sentence(number) for number in range(SENTENCES)]}
    watched.route(
        "**/transcript?format=words",
        lambda route: route.fulfill(body=json.dumps(script), content_type="application/json"),
    )
    enter(watched, shelf.api, f"/videos/{shelf.video_id}")
    watched.locator(".transcript-pane").hover()
    assert any(not long_tasks(watched, step=600) for _ in range(ROUNDS))
    assert watched.locator(".sentence").count() < 100
    watched.evaluate("document.querySelector('.transcript-pane').scrollTop = 1e9")
    expect(watched.locator(f'.sentence[data-index="{SENTENCES - 1}"]')).to_be_visible()


def long_tasks(page: Page, step: int) -> list[float]:
    page.wait_for_timeout(500)
    page.evaluate("window.long = []")
    for _ in range(60):
        page.mouse.wheel(0, step)
        page.wait_for_timeout(16)
    page.wait_for_timeout(300)
    found: list[float] = page.evaluate("window.long")
    return found
