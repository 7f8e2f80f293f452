"""A video's page: words that jump, a transcript that follows, keys, search inside, links, files; sound alone."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from biblio.local.sample import TALK
from tests.api.conftest import MIB
from tests.browser.conftest import current_time, enter, listen, url_of
from tests.browser.shelf import EVERY, SAID, Shelf, add_film, running_shelf

CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(scope="module")
def shelf(addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with running_shelf(addresses, tmp_path_factory.mktemp("shelf")) as shelf:
        yield shelf


@pytest.fixture
def video(page: Page, shelf: Shelf) -> Page:
    """The page of the film, paused at its beginning."""
    open_video(page, shelf)
    return page


def open_video(page: Page, shelf: Shelf, place: str = "", video_id: str | None = None) -> None:
    enter(page, shelf.api, f"/videos/{video_id or shelf.video_id}{place}")
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    expect(page.locator(".sentence").first).to_be_visible()


def sentence(page: Page, number: int) -> str:
    return f'.sentence[data-index="{number}"]'


def wait_for_time(page: Page, seconds: float, within: float = 0.5) -> None:
    page.wait_for_function(
        "([seconds, within]) => { const { currentTime: now } = document.querySelector('video');"
        " return now >= seconds - 0.01 && now <= seconds + within; }",
        arg=[seconds, within],
    )


def test_a_sentence_and_its_words_jump(video: Page) -> None:
    video.locator(f"{sentence(video, 2)} .sentence-time").click()
    wait_for_time(video, 2 * EVERY)
    words = video.locator(f"{sentence(video, 1)} [data-word]")
    expect(words).to_have_count(len(SAID[1].split()))
    words.last.click()
    video.wait_for_timeout(300)
    assert EVERY + 1 < current_time(video) < EVERY + 4, "a word has its own time"
    expect(video.locator(".sentence[aria-current]")).to_contain_text(SAID[1])


def test_a_link_opens_at_its_second(page: Page, shelf: Shelf) -> None:
    open_video(page, shelf, f"?t={3 * EVERY + 0.5}")
    wait_for_time(page, 3 * EVERY + 0.5)
    expect(page.locator(".sentence[aria-current]")).to_contain_text(SAID[3])


def test_the_link_to_this_second_is_copied(video: Page, shelf: Shelf) -> None:
    video.context.grant_permissions(CLIPBOARD)
    video.evaluate("document.querySelector('video').currentTime = 25.25")
    video.get_by_role("button", name="0:25 링크 복사").click()
    expect(video.locator(".notice")).to_have_text("링크를 복사했습니다")
    copied = video.evaluate("navigator.clipboard.readText()")
    assert copied in [f"{url_of(shelf.api)}/videos/{shelf.video_id}?t={second}" for second in ("25.2", "25.3")]


def test_keys_play_move_and_search(video: Page) -> None:
    is_paused = "document.querySelector('video').paused"
    video.evaluate("document.querySelector('video').muted = true")
    video.keyboard.press("k")
    video.wait_for_function(f"() => !{is_paused}")
    video.keyboard.press("Space")
    video.wait_for_function(f"() => {is_paused}")
    video.evaluate("document.querySelector('video').currentTime = 30")
    for key, seconds in (("l", 40), ("j", 30), ("ArrowRight", 35), ("ArrowLeft", 30)):
        video.keyboard.press(key)
        wait_for_time(video, seconds, within=0.01)
    video.keyboard.press(">")
    assert video.evaluate("document.querySelector('video').playbackRate") == 1.25
    video.get_by_label("재생 속도").select_option("2")
    assert video.evaluate("document.querySelector('video').playbackRate") == 2
    video.evaluate("document.activeElement.blur()")
    video.keyboard.press("/")
    expect(video.locator(".inside input")).to_be_focused()
    video.keyboard.type("jk l")
    wait_for_time(video, 30, within=0.01)


def test_search_inside_goes_from_hit_to_hit_and_the_line_shows_them(video: Page) -> None:
    field = video.locator(".inside input")
    field.fill("트랜 잭션")
    expect(video.locator(".tick")).to_have_count(2)
    expect(video.locator(f"{sentence(video, 1)} mark").first).to_have_text("트랜잭션")
    field.press("Enter")
    expect(video.locator(".inside-told")).to_have_text("2개 중 1번째")
    wait_for_time(video, EVERY)
    field.press("Enter")
    expect(video.locator(".sentence[data-shown]")).to_contain_text(SAID[5])
    wait_for_time(video, 5 * EVERY)
    video.get_by_role("button", name="이전").click()
    expect(video.locator(".inside-told")).to_have_text("2개 중 1번째")


def test_what_nobody_says_is_looked_for_by_meaning(video: Page) -> None:
    video.locator(".inside input").fill("책에서 낱말을 찾는 방법")
    expect(video.locator(".inside-told")).to_contain_text("뜻이 비슷한 곳")
    video.locator(".inside input").press("Enter")
    expect(video.locator(".sentence[data-shown]")).to_be_visible()


def test_the_transcript_follows_unless_its_reader_scrolls(video: Page) -> None:
    video.set_viewport_size({"width": 1100, "height": 440})
    video.locator(f"{sentence(video, 0)} .sentence-time").click()
    video.evaluate("document.querySelector('video').currentTime = 61")
    expect(video.locator(f"{sentence(video, 5)}[aria-current]")).to_be_in_viewport()
    video.locator(".transcript-pane").hover()
    video.mouse.wheel(0, -2000)
    expect(video.locator(sentence(video, 0))).to_be_in_viewport()
    video.evaluate("document.querySelector('video').currentTime = 49")
    video.wait_for_timeout(700)
    expect(video.locator(sentence(video, 0))).to_be_in_viewport()
    video.get_by_role("button", name="지금 위치로").click()
    expect(video.locator(f"{sentence(video, 4)}[aria-current]")).to_be_in_viewport()


def test_captions_are_there_and_files_can_be_taken(video: Page) -> None:
    video.wait_for_function("() => document.querySelector('track')")
    video.evaluate("document.querySelector('video').textTracks[0].mode = 'showing'")
    video.wait_for_function("() => document.querySelector('track').track.cues?.length > 0")
    for kind, holds in {"SRT": "-->", "VTT": "WEBVTT", "TXT": SAID[0], "JSON": '"results"'}.items():
        video.get_by_role("button", name="내려받기").click()
        with video.expect_download() as taking:
            video.get_by_role("menuitem", name=kind).click()
        assert taking.value.suggested_filename == f"데이터베이스 첫 시간.{kind.lower()}"
        assert holds in Path(taking.value.path()).read_text(encoding="utf-8")


def test_renamed_it_is_so_everywhere(video: Page, shelf: Shelf) -> None:
    video.get_by_label("데이터베이스 첫 시간 메뉴").click()
    video.get_by_role("menuitem", name="이름 바꾸기").click()
    video.get_by_label("새 제목").fill("데이터베이스 둘째 시간")
    video.get_by_role("button", name="저장").click()
    expect(video.locator("h1")).to_have_text("데이터베이스 둘째 시간")
    video.click(".brand")
    expect(video.locator(".card-title").first).to_have_text("데이터베이스 둘째 시간")
    shelf.api.http.patch(f"/api/videos/{shelf.video_id}", json={"title": "데이터베이스 첫 시간"}).raise_for_status()
    expect(video.locator(".card-title").first).to_have_text("데이터베이스 첫 시간")


def test_it_is_processed_again_with_another_model_and_stopped(video: Page, shelf: Shelf) -> None:
    video.get_by_label("데이터베이스 첫 시간 메뉴").click()
    video.get_by_role("menuitem", name="다시 처리").click()
    video.get_by_label("말하는 언어").select_option("ko")
    video.get_by_label("모델").select_option("fast")
    video.get_by_role("button", name="시작").click()
    expect(video.locator(".standing")).to_contain_text("대기 중")
    whole = shelf.api.http.get(f"/api/videos/{shelf.video_id}").json()
    assert whole["options"] == {"language": "ko", "model": "fast"}
    expect(video.locator(".sentence").first).to_be_visible()
    video.locator(".standing").get_by_role("button", name="처리 중지").click()
    expect(video.locator(".standing")).to_have_count(0)


def test_a_film_that_browsers_cannot_show_is_heard(page: Page, shelf: Shelf, tmp_path: Path) -> None:
    broken = listen(page)
    for name, codec in (("old.avi", "mpeg4"), ("new.mp4", "mpeg4")):
        film = tmp_path / name
        subprocess.run(
            ["ffmpeg", "-v", "error", "-t", "40", "-i", TALK, "-c:v", codec, "-c:a", "libmp3lame", film], check=True
        )
        assert film.stat().st_size < 9 * MIB
        open_video(page, shelf, "?t=25", add_film(shelf.api, film, name))
        expect(page.locator(".screen-note")).to_contain_text("소리를 들려드립니다")
        assert "audio_extracted.mp3" in page.evaluate("document.querySelector('video').currentSrc")
        wait_for_time(page, 25, within=8)
        assert page.evaluate("document.querySelector('video').duration") == pytest.approx(40, abs=1)
    assert [one for one in broken if "ERR_" not in one] == []


def test_no_such_video_is_told(page: Page, shelf: Shelf) -> None:
    enter(page, shelf.api, "/videos/00000000-0000-4000-8000-000000000000")
    expect(page.locator("h2")).to_have_text("이 주소에는 아무것도 없습니다")
    page.click("text=라이브러리로")
    expect(page.locator("#library-title")).to_be_visible()
