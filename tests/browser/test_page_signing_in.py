"""Signing in by a link, once, or by a key; signing out; two languages."""

from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Page, expect

from biblio.pipeline.sign_in import new_token
from tests.api.conftest import Api, running_api
from tests.browser.conftest import enter, key_of, open_page, sign_in, url_of


@pytest.fixture(scope="module")
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="10000") as api:
        yield api


def test_a_link_signs_this_browser_in_once(page: Page, api: Api) -> None:
    link = f"{url_of(api)}/#token={new_token(api.services, api.user_id)}"
    page.goto(link)
    expect(page.locator("#library-title")).to_be_visible()
    assert page.evaluate("location.href") == f"{url_of(api)}/"
    assert page.evaluate("document.cookie") == "", "no script can read the session"
    page.reload()
    expect(page.locator("#library-title")).to_be_visible()
    assert page.context.browser
    other = page.context.browser.new_page(locale="ko-KR")
    other.goto(link)
    expect(other.locator(".sign-in .hint")).to_contain_text("이미 사용했거나 오래된")
    assert "token" not in other.evaluate("location.href")


def test_a_link_leads_to_where_it_points(page: Page, api: Api) -> None:
    page.goto(f"{url_of(api)}/search?q=none#token={new_token(api.services, api.user_id)}")
    expect(page.locator("#search-title")).to_contain_text("none")
    assert page.evaluate("location.hash") == ""


def test_a_wrong_key_is_told_and_the_right_one_stays_nowhere_in_reach(page: Page, api: Api) -> None:
    page.goto(url_of(api))
    page.fill("#key", "nobody's key")
    page.press("#key", "Enter")
    expect(page.locator("#key-problem")).to_contain_text("모르는 키")
    sign_in(page, url_of(api), key_of(api))
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert key_of(api) not in kept


def test_signing_out_works_though_somebody_copied_the_cookie(page: Page, api: Api) -> None:
    enter(page, api)
    copied = page.context.cookies()
    page.click("[aria-label=메뉴]")
    page.click("text=로그아웃")
    expect(page.locator("#key")).to_be_visible()
    page.context.add_cookies(copied)  # type: ignore[arg-type]
    page.reload()
    expect(page.locator("#key")).to_be_visible()


def test_it_speaks_the_browsers_language_until_another_is_chosen(api: Api) -> None:
    with open_page(locale="en-US") as page:
        page.goto(url_of(api))
        expect(page.locator("h1")).to_have_text("Welcome to biblio")
        page.click("button:has-text('한국어')")
        expect(page.locator("h1")).to_have_text("biblio에 오신 것을 환영합니다")
        assert page.evaluate("document.documentElement.lang") == "ko"
        sign_in(page, url_of(api), key_of(api))
        expect(page.locator("#library-title")).to_have_text("라이브러리")
        page.click("button:has-text('English')")
        expect(page.locator("#library-title")).to_have_text("Library")


def test_a_theme_that_was_chosen_stays(page: Page, api: Api) -> None:
    enter(page, api)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("[aria-label=메뉴]")
    page.click("text=어둡게")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    expect(page.locator("#library-title")).to_be_visible()
    assert dark != light
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
