"""The page's large uploads in a real browser: parts, reloads, broken lines, another device, an end in good order."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from biblio.client.fingerprint import fingerprint
from biblio.client.source import Source
from biblio.dsn import Dsn
from biblio.errors import NotFound
from tests.api.conftest import MIB, Api, running_api
from tests.browser.conftest import multipart_upload, open_page, part_number, write_film
from tests.browser.visit import WAIT_MS, Visit
from tests.chaos.fault_proxy import FaultProxy, Link

LARGE, PARTS = 30 * MIB + 777, 4
SMALL = 4 * MIB + 17
SLOW = 6 * MIB
"""Bytes per second: parts take long enough for something to happen between them."""
HEADERS = 100_000
NETWORK_NAME = "biblio.test"
"""Browsers trust plain HTTP of this machine only: under another name they keep their cryptography to themselves."""
NO_LINE = "연결이 끊겼습니다"


@pytest.fixture
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, MULTIPART_THRESHOLD=str(9 * MIB)) as api:
        yield api


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page(f"--host-resolver-rules=MAP {NETWORK_NAME} 127.0.0.1") as page:
        yield page


@pytest.fixture
def visit(page: Page, api: Api) -> Iterator[Visit]:
    visit = Visit(page, api)
    yield visit
    for video in api.http.get("/api/videos").json()["videos"]:
        api.http.delete(f"/api/videos/{video['video_id']}").raise_for_status()


def test_after_a_reload_it_goes_on_by_itself_where_it_stopped(visit: Visit, tmp_path: Path) -> None:
    film = write_film(tmp_path / "강의 1.mp4", LARGE)
    visit.slow_down(SLOW)
    visit.choose(film)
    visit.wait_for_parts(2)
    acknowledged = set(visit.acknowledged())

    visit.reload()
    visit.finish(film)
    sent = sorted(map(part_number, visit.puts()))
    assert sent
    assert not acknowledged & set(sent), "what had arrived is not sent again"
    assert len(sent) == len(set(sent))


def test_where_the_browser_kept_nothing_the_same_file_is_chosen_again(visit: Visit, api: Api, tmp_path: Path) -> None:
    film = write_film(tmp_path / "강의 1.mp4", LARGE)
    visit.slow_down(SLOW)
    visit.choose(film)
    visit.wait_for_parts(1)
    acknowledged = set(visit.acknowledged())

    visit.reload(forgetful=True)
    expect(visit.video).to_have_attribute("data-status", "UPLOADING")
    expect(visit.video).to_contain_text("업로드가 중단됨")
    expect(visit.video).to_contain_text(film.name)
    stored = parts_of(api)
    assert acknowledged <= set(stored["missing"]) ^ set(range(1, PARTS + 1))
    assert stored["missing"]
    visit.choose(film)
    visit.finish(film)

    assert sorted(map(part_number, visit.puts())) == stored["missing"]


def test_offline_it_waits_and_goes_on_by_itself(visit: Visit, tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    visit.slow_down(SLOW)
    visit.choose(film)
    visit.wait_for_parts(1)
    visit.slow_down(SLOW, offline=True)
    expect(visit.upload.locator(".hint")).to_contain_text(NO_LINE)
    expect(visit.upload.locator(".problem")).to_have_count(0)
    visit.slow_down(SLOW)
    visit.finish(film)
    assert sorted(visit.acknowledged()) == list(range(1, PARTS + 1))


def test_a_cut_costs_no_more_than_a_part(page: Page, addresses: Mapping[str, str], tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    storage = Dsn.parse(addresses["BIBLIO_STORAGE"])
    cuts = [Random(seed).randrange(1, 7 * MIB) for seed in range(4)]
    with FaultProxy(storage.options["endpoint"]) as line:
        through = replace(storage, options={**storage.options, "public_endpoint": line.url}).text()
        with running_api(addresses, STORAGE=through, MULTIPART_THRESHOLD=str(9 * MIB)) as api:
            visit = Visit(page, api)
            traps = [line.at_byte(cuts[0], Link.reset)]
            visit.choose(film)
            for bytes_later in cuts[1:]:
                while not traps[-1].sprung.is_set():
                    page.wait_for_timeout(10)
                traps.append(line.at_byte(bytes_later, Link.reset))
            visit.finish(film)
    assert all(trap.sprung.is_set() for trap in traps)
    assert line.up <= LARGE + len(cuts) * (8 * MIB + HEADERS)


def test_paused_it_sends_nothing_and_goes_on_when_asked(visit: Visit, tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    visit.slow_down(SLOW)
    visit.choose(film)
    visit.wait_for_parts(1)
    visit.upload.get_by_label("일시 정지").click()
    expect(visit.upload).to_have_attribute("data-phase", "paused")
    visit.page.wait_for_timeout(500)
    begun = len(visit.puts())
    visit.page.wait_for_timeout(1_500)
    assert len(visit.puts()) == begun
    visit.upload.get_by_label("이어서 올리기").click()
    visit.finish(film)
    assert sorted(visit.acknowledged()) == list(range(1, PARTS + 1))


def test_many_files_go_one_after_the_other(visit: Visit, api: Api, tmp_path: Path) -> None:
    films = [write_film(tmp_path / f"{number}.mp4", SMALL + number) for number in range(3)]
    visit.page.set_input_files("#files", films)
    expect(visit.page.locator(".upload[data-phase=done]")).to_have_count(3, timeout=WAIT_MS)
    sizes = {video["file_name"]: video["file_size"] for video in api.http.get("/api/videos").json()["videos"]}
    assert sizes == {film.name: film.stat().st_size for film in films}
    expect(visit.video).to_have_count(3)


def test_stop_leaves_nothing(visit: Visit, api: Api, tmp_path: Path) -> None:
    visit.slow_down(SLOW)
    visit.choose(write_film(tmp_path / "lecture.mp4", LARGE))
    visit.wait_for_parts(1)
    [put, *_] = visit.puts()
    key, upload_id = multipart_upload(put)
    assert api.services.storage.multipart.parts(key, upload_id)

    with visit.page.expect_response(lambda answer: answer.request.method == "DELETE" and answer.status == 202):
        visit.upload.get_by_label("취소").click()
        visit.page.get_by_role("dialog").get_by_role("button", name="중지").click()
    expect(visit.upload).to_have_count(0)
    expect(visit.video).to_have_count(0)
    assert api.http.get("/api/videos").json()["videos"] == []
    with pytest.raises(NotFound):
        api.services.storage.multipart.parts(key, upload_id)
    with pytest.raises(NotFound):
        api.services.storage.stat(key)
    assert visit.broken == []


def test_what_another_device_began_with_checksums_goes_on_with_them(visit: Visit, api: Api, tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    begin_elsewhere(api.http, film)
    visit.choose(film)
    visit.finish(film)
    assert sorted(map(part_number, visit.puts())) == [2, 3, 4]
    assert all("x-amz-checksum-sha256" in each.headers for each in visit.puts())


def test_addresses_that_have_expired_are_replaced(page: Page, addresses: Mapping[str, str], tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    with running_api(addresses, MULTIPART_THRESHOLD=str(9 * MIB), UPLOAD_SECONDS="1") as api:
        page.clock.set_fixed_time("2020-01-01")  # so that the page can't know better
        visit = Visit(page, api)
        visit.slow_down(SLOW)
        visit.choose(film)
        visit.finish(film)
    assert sorted(visit.acknowledged()) == list(range(1, PARTS + 1))
    assert 403 in {each.status for each in visit.responses}


def test_a_small_file_whose_answer_was_lost_has_arrived(visit: Visit, tmp_path: Path) -> None:
    """The second PUT is told that the file is there (412)."""
    film = write_film(tmp_path / "lecture.mp4", SMALL)

    def lose_the_answer(route: Route) -> None:
        signed = {name: route.request.headers[name] for name in ("content-type", "if-none-match")}
        httpx.put(route.request.url, headers=signed, content=film.read_bytes()).raise_for_status()
        route.abort()

    visit.page.route("**/original.mp4*", lose_the_answer, times=1)
    visit.choose(film)
    visit.finish(film)
    first, second = visit.puts()
    between = visit.requests[visit.requests.index(first) : visit.requests.index(second)]
    assert any(re.search("/api/videos/[^/]*$", each.url) for each in between), "a fresh address"
    assert [each.status for each in visit.responses if each.request == second] == [412]


def test_a_file_that_changes_meanwhile_is_not_half_old_and_half_new(visit: Visit, api: Api, tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    visit.slow_down(SLOW)
    visit.choose(film)
    visit.wait_for_parts(1)
    with film.open("r+b") as content:  # where the fingerprint does not look
        content.seek(20 * MIB)
        content.write(b"changed")
    expect(visit.upload.locator(".problem")).to_contain_text("바뀌었습니다")
    expect(visit.video).to_have_count(0)

    visit.upload.get_by_label("목록에서 빼기").click()
    visit.slow_down(-1)
    visit.choose(film)
    visit.finish(film)


def test_without_cryptography_it_still_uploads(page: Page, addresses: Mapping[str, str], tmp_path: Path) -> None:
    film = write_film(tmp_path / "lecture.mp4", LARGE)
    with running_api(addresses, MULTIPART_THRESHOLD=str(9 * MIB), PAGE_ORIGINS="*") as api:
        visit = Visit(page, api, str(api.http.base_url).replace("127.0.0.1", NETWORK_NAME))
        assert not page.evaluate("Boolean(crypto.subtle)")
        visit.choose(film)
        visit.finish(film)


def begin_elsewhere(http: httpx.Client, film: Path) -> None:
    """Send the first part, as a device does that trusts no line."""
    with Source(film) as source:
        new = {"file_name": film.name, "file_size": source.size, "fingerprint": fingerprint(source)}
    video = http.post("/api/videos", json=new).raise_for_status().json()
    part = film.read_bytes()[: video["upload"]["part_size"]]
    asked = {"numbers": [1], "sha256": {"1": sha256(part).hexdigest()}}
    [signed] = http.post(video["upload"]["parts_url"], json=asked).raise_for_status().json()["parts"]
    httpx.put(signed["url"], headers=signed["headers"], content=part).raise_for_status()


def parts_of(api: Api) -> dict[str, Any]:
    """What the server says of the only upload."""
    [video] = api.http.get("/api/videos?status=UPLOADING").json()["videos"]
    parts: dict[str, Any] = api.http.get(video["upload"]["parts_url"]).raise_for_status().json()
    return parts
