"""Text stays text: more than a hundred payloads as titles, file names, questions and words that were said."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Dialog, Page, expect

from biblio.domain.flow import Queue
from biblio.local.sample import TALK
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import work
from tests.api.conftest import Api, running_api
from tests.browser.conftest import enter, search_box
from tests.payloads import PAYLOADS

WATCH = """
window.ran = [];
window.pwned = () => window.ran.push('a script');
document.addEventListener('securitypolicyviolation', (event) => window.ran.push(event.violatedDirective));
"""


@dataclass(frozen=True)
class Lecture:
    """A video whose every sentence is a payload."""

    api: Api
    video_id: str


@pytest.fixture(scope="module")
def lecture(addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lecture]:
    script = tmp_path_factory.mktemp("script") / "script.json"
    said = [[0.5 * place, 0.5 * place + 0.4, f"{payload} ."] for place, payload in enumerate(PAYLOADS)]
    script.write_text(json.dumps({"language": "ko", "sentences": said}))
    with running_api(addresses, REQUEST_RATE="100000", SPEECH=f"scripted://?path={script}") as api:
        api.services.vectors.prepare()
        video_id = _uploaded(api.http)
        while any(work(api.services, queue, Worker("injection")) for queue in Queue):
            pass
        assert api.http.get(f"/api/videos/{video_id}/status").json()["status"] == "COMPLETED"
        yield Lecture(api, video_id)


def test_there_are_enough() -> None:
    assert len(set(PAYLOADS)) >= 100


def test_titles_file_names_and_questions_come_back_as_they_were_sent(lecture: Lecture) -> None:
    http = lecture.api.http
    for payload in PAYLOADS:
        name = payload.replace("/", "_").replace("\\", "_") + ".mp4"  # what stands before either is a folder
        begun = http.post("/api/videos", json={"file_name": name, "file_size": 10, "title": payload})
        assert begun.status_code == 201, (payload, begun.text)
        video = http.get(f"/api/videos/{begun.json()['video_id']}").json()
        assert video["title"] == unicodedata.normalize("NFC", payload).strip()
        assert video["file_name"] == unicodedata.normalize("NFC", name)
        found = http.get("/api/search", params={"q": payload})
        if payload.startswith("-"):  # it only says what it does not want
            assert (found.status_code, found.json()["code"]) == (422, "EMPTY_QUESTION")
            payload = f"and {payload}"
            found = http.get("/api/search", params={"q": payload})
        assert (found.status_code, found.json()["query"]) == (200, payload)


def test_what_was_said_stays_words_in_every_format(lecture: Lecture) -> None:
    url = f"/api/videos/{lecture.video_id}/transcript"
    said = " ".join(one["transcript"] for one in lecture.api.http.get(url).json()["results"])
    for payload in PAYLOADS:
        assert " ".join(unicodedata.normalize("NFC", payload).split()) in said
    vtt = lecture.api.http.get(url, params={"format": "vtt"}).text
    assert "<script" not in vtt, "a player of subtitles would take it for markup"


def test_no_page_runs_any_of_it(lecture: Lecture, page: Page) -> None:
    page.add_init_script(WATCH)
    dialogs = []

    def shut(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", shut)
    enter(page, lecture.api)
    expect(page.locator("article.card").first).to_be_visible()
    enter(page, lecture.api, f"/videos/{lecture.video_id}?t=0")
    page.get_by_label("이 동영상에서 검색").last.fill("<script>pwned()</script>")
    page.get_by_label("다음").click()
    expect(page.locator(".sentence[data-shown]")).to_contain_text("<script>pwned()</script>")
    for payload in PAYLOADS[::8]:
        search_box(page).fill(payload)
        page.wait_for_function("(q) => new URLSearchParams(location.search).get('q') === q.trim()", arg=payload)
        expect(page.locator("#search-title")).to_contain_text(payload.strip())
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.ran") == []
    assert dialogs == []
    assert not Path("/tmp/pwned").exists()


def _uploaded(http: httpx.Client) -> str:
    content = TALK.read_bytes()
    begun = (
        http.post("/api/videos", json={"file_name": "talk.mp4", "file_size": len(content)}).raise_for_status().json()
    )
    httpx.put(begun["upload"]["url"], content=content, headers=begun["upload"]["headers"]).raise_for_status()
    http.post(f"/api/videos/{begun['video_id']}/upload-complete").raise_for_status()
    return str(begun["video_id"])
