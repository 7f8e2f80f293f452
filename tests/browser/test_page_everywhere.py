"""Every page: for screen readers (axe), on a phone, in both languages and themes."""

from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Page, expect

from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure
from tests.browser.conftest import enter, open_page, url_of
from tests.browser.shelf import Shelf, running_shelf
from tests.lectures import add_lecture
from tests.repository import ROOT

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 360, "height": 740}
SERIOUS = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
}
"""
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
WIDTHS = "() => [document.documentElement.scrollWidth, window.innerWidth]"
LONG = (
    "데이터베이스에서트랜잭션과색인과격리수준을한꺼번에배우는아주아주긴제목의강의 lecture_2026-01-05_recording_final_v2"
)


@pytest.fixture(scope="module")
def shelf(addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with running_shelf(addresses, tmp_path_factory.mktemp("shelf")) as shelf:
        services, user = shelf.api.services, shelf.api.user_id
        add_lecture(services, user, "은행과 트랜잭션", "은행은 트랜잭션으로 돈을 보냅니다.", "돈은 사라지지 않습니다.")
        failed = add_lecture(services, user, LONG, "아무 말이나 합니다.")
        working = add_lecture(services, user, "처리하는 강의", "말합니다.")
        failure = Failure(Step.EXTRACT, "NO_AUDIO_TRACK", "No sound.")
        with services.catalog.transaction() as tx:
            tx.videos.update(failed.id, status=Status.FAILED, failure=failure)
            tx.videos.update(working.id, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=40)
        yield shelf


PLACES = {
    "library": ("/", "article.card"),
    "nothing like that": ("/?title=zqxv", ".empty"),
    "video": ("/videos/{video}", ".sentence"),
    "failed": ("/videos/{failed}", ".standing"),
    "search": ("/search?q=트랜잭션", "article.found"),
    "nothing found": ("/search?q=zqxv&mode=keyword", ".empty"),
    "nothing asked": ("/search", ".empty"),
    "nowhere": ("/nowhere/at/all", ".empty"),
}


def visit(page: Page, shelf: Shelf, place: str) -> None:
    path, shown = PLACES[place]
    listed = shelf.api.http.get("/api/videos?status=FAILED").json()["videos"]
    enter(page, shelf.api, path.format(video=shelf.video_id, failed=listed[0]["video_id"]))
    expect(page.locator(shown).first).to_be_visible()
    page.wait_for_timeout(300)


def serious_findings(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(SERIOUS)
    return found


@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_serious(shelf: Shelf, place: str) -> None:
    with open_page(color_scheme="light") as page:
        visit(page, shelf, place)
        assert serious_findings(page) == []
        light = page.evaluate(BACKGROUND)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(BACKGROUND) != light
        assert serious_findings(page) == []


def test_axe_finds_nothing_serious_where_nobody_is_signed_in_and_in_menus_and_dialogs(page: Page, shelf: Shelf) -> None:
    page.goto(url_of(shelf.api))
    page.wait_for_selector("#key")
    assert serious_findings(page) == []
    visit(page, shelf, "library")
    page.get_by_label("은행과 트랜잭션 메뉴").click()
    assert serious_findings(page) == []
    page.get_by_role("menuitem", name="이름 바꾸기").click()
    page.wait_for_selector("dialog[open]")
    assert serious_findings(page) == []


@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
def test_nothing_is_wider_than_a_phone(shelf: Shelf, locale: str) -> None:
    with open_page(locale=locale, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.goto(url_of(shelf.api))
        page.wait_for_selector("#key")
        widths = {"signing in": page.evaluate(WIDTHS)}
        for place in PLACES:
            visit(page, shelf, place)
            widths[place] = page.evaluate(WIDTHS)
        assert {place: both for place, both in widths.items() if both[0] > both[1]} == {}


@pytest.mark.parametrize(("locale", "heading"), [("ko-KR", "라이브러리"), ("en-US", "Library")])
def test_both_languages(shelf: Shelf, locale: str, heading: str) -> None:
    with open_page(locale=locale) as page:
        visit(page, shelf, "library")
        expect(page.locator("h1")).to_have_text(heading)
        assert page.evaluate("document.documentElement.lang") == locale[:2]
        visit(page, shelf, "failed")
        sentence = "소리가 있는 파일" if locale.startswith("ko") else "Add a version with sound"
        expect(page.locator(".standing")).to_contain_text(sentence)


def test_the_keyboard_reaches_everything_on_the_library(page: Page, shelf: Shelf) -> None:
    visit(page, shelf, "library")
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"))
    assert {"본문으로 건너뛰기", "모든 동영상의 말 검색", "동영상 추가", "정렬", "은행과 트랜잭션 메뉴"} <= seen
