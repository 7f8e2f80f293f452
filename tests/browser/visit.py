"""The page open in a browser, and what it sends."""

from hashlib import sha256
from pathlib import Path

from playwright.sync_api import Locator, Page, Request, Response, expect

from tests.api.conftest import Api
from tests.browser.conftest import key_of, part_number, sign_in

WAIT_MS = 60_000


class Visit:
    """The page open with a user's key, and all that it sends."""

    def __init__(self, page: Page, api: Api, url: str | None = None) -> None:
        self.page, self._api = page, api
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self._network = page.context.new_cdp_session(page)
        self._network.send("Network.enable")
        page.on("request", lambda request: self.requests.append(request))
        page.on("response", lambda response: self.responses.append(response))
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.broken: list[str] = []
        sign_in(page, (url or str(api.http.base_url)).rstrip("/"), key_of(api))

    @property
    def upload(self) -> Locator:
        return self.page.locator(".upload")

    @property
    def video(self) -> Locator:
        return self.page.locator("article.card")

    def choose(self, film: Path) -> None:
        self.page.set_input_files("#files", film)

    def slow_down(self, bytes_per_second: int, *, offline: bool = False) -> None:
        """A browser that is `offline` begins no request, yet ends those under way."""
        line = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        self._network.send("Network.emulateNetworkConditions", line)

    def reload(self, *, forgetful: bool = False) -> None:
        """The page as its user finds it again, its old traffic forgotten. A `forgetful` browser has kept no file."""
        if forgetful:
            self.page.add_init_script("indexedDB.deleteDatabase('biblio'); delete window.indexedDB;")
            self.page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: null });")
        self.page.reload()
        self.requests.clear()
        self.responses.clear()

    def wait_for_parts(self, least: int) -> None:
        while len(self.acknowledged()) < least:
            self.page.wait_for_event("response", timeout=WAIT_MS)

    def puts(self) -> list[Request]:
        return [request for request in self.requests if request.method == "PUT"]

    def acknowledged(self) -> list[int]:
        """Numbers of the parts that storage has taken, as often as it has."""
        return [part_number(each.request) for each in self.responses if each.request.method == "PUT" and each.ok]

    def finish(self, film: Path) -> None:
        """All bytes are in storage, none went through the API, and nothing broke."""
        expect(self.video).to_have_attribute("data-status", "PENDING", timeout=WAIT_MS)
        expect(self.upload).to_have_attribute("data-phase", "done")
        [video] = self._api.http.get("/api/videos").json()["videos"]
        key = f"videos/{video['video_id']}/original.mp4"
        stored = sha256(b"".join(self._api.services.storage.read(key))).hexdigest()
        assert stored == sha256(film.read_bytes()).hexdigest()
        to_api = [each for each in self.requests if each.url.startswith(str(self._api.http.base_url))]
        assert all(len(each.post_data_buffer or b"") < 1000 for each in to_api)
        assert "PUT" not in {each.method for each in to_api}
        assert self.broken == []
