"""Search: as one types, in the address, with filters, in place, and what there is when there is nothing."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import enter, plays_from, search_box
from tests.browser.shelf import EVERY, SAID, Shelf, running_shelf
from tests.lectures import add_lecture


@pytest.fixture(scope="module")
def shelf(addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with running_shelf(addresses, tmp_path_factory.mktemp("shelf")) as shelf:
        services, user = shelf.api.services, shelf.api.user_id
        add_lecture(services, user, "은행과 트랜잭션", "은행은 트랜잭션으로 돈을 보냅니다.", "돈은 사라지지 않습니다.")
        add_lecture(services, user, "Banking", "A transaction is all or nothing.", language="en")
        yield shelf


def ask(page: Page, question: str) -> None:
    search_box(page).fill(question)


def test_results_come_as_one_types_and_back_leaves_at_once(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api)
    expect(page.locator("#library-title")).to_be_visible()
    search_box(page).press_sequentially("트랜잭션이 뭔가요", delay=120)
    expect(page.locator("article.found").first).to_be_visible()
    expect(page.locator(".found mark").first).to_contain_text("트랜잭션")
    # On a busy machine a pause between two keys has already brought answers to the first word.
    expect(page).to_have_url(re.compile(quote("뭔가요")))
    page.go_back()
    expect(page.locator("#library-title")).to_be_visible()
    expect(search_box(page)).to_have_value("")
    page.go_forward()
    expect(page.locator("article.found").first).to_be_visible()
    expect(search_box(page)).to_have_value("트랜잭션이 뭔가요")


def test_words_are_completed(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api)
    search_box(page).press_sequentially("트랜", delay=20)
    expect(page.get_by_role("option").first).to_contain_text("트랜잭션")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox", include_hidden=True)).to_be_hidden()
    expect(page.locator("article.found").first).to_be_visible()
    assert search_box(page).input_value().startswith("트랜잭션")


def test_filters_are_in_the_address(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api, "/search?q=트랜잭션&language=en")
    expect(page.locator("article.found h2")).to_have_text(["Banking"])
    expect(page.get_by_label("말하는 언어")).to_have_value("en")
    page.get_by_label("말하는 언어").select_option("")
    expect(page.locator("article.found")).to_have_count(3)
    page.get_by_label("방법").select_option("keyword")
    expect(page.locator("article.found h2")).not_to_contain_text(["Banking"])
    assert "mode=keyword" in page.url
    page.go_back()
    expect(page.locator("article.found")).to_have_count(3)


def test_a_moment_plays_in_its_place_and_leads_to_more(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api, "/search?q=찾아보기")
    found = page.locator(f'article.found[data-id="{shelf.video_id}"]')
    moment = found.locator(".moment-play", has_text=SAID[3]).first
    start = float(moment.get_attribute("data-start") or "nan")
    assert start == pytest.approx(3 * EVERY, abs=0.5)
    assert start <= plays_from(page, moment.click) <= start + 0.5
    page.keyboard.press("Escape")
    expect(page.locator("video")).to_have_count(0)
    found.get_by_label("비슷한 장면").first.click()
    expect(page.locator(".quoted")).to_have_text(SAID[3])
    expect(page.locator("article.found").first).to_be_visible()
    page.go_back()
    expect(page.locator("#search-title")).to_contain_text("찾아보기")


def test_nothing_found_and_nothing_asked_have_their_words(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api, "/search")
    expect(page.locator(".empty")).to_contain_text("무엇이든 물어보세요")
    ask(page, '"이런 말은 아무도 하지 않았다 그렇다" -트랜잭션 -돈을 -말이')
    expect(page.locator("#search-title")).to_be_visible()
    enter(page, shelf.api, "/search?q=money&mode=keyword")
    expect(page.locator(".empty")).to_contain_text("결과가 없습니다")
    page.get_by_role("button", name="필터 지우기").click()
    expect(page.locator(".empty")).to_have_count(0)


def test_what_fails_is_told_and_tried_again(page: Page, shelf: Shelf) -> None:
    problem = '{"type":"about:blank","status":500,"code":"INTERNAL","detail":"x"}'
    page.route(
        "**/api/search?*",
        lambda route: route.fulfill(status=500, content_type="application/problem+json", body=problem),
    )
    enter(page, shelf.api, "/search?q=트랜잭션")
    expect(page.get_by_role("alert")).to_contain_text("서버에 문제가 생겼습니다")
    page.unroute_all()
    page.get_by_role("button", name="다시 시도").click()
    expect(page.locator("article.found").first).to_be_visible()


def test_the_slash_leads_to_the_box(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api)
    expect(page.locator("#library-title")).to_be_visible()
    page.keyboard.press("/")
    expect(search_box(page)).to_be_focused()
