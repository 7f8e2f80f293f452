"""People who use the library while it storms: they upload, and now and then reprocess, cancel or delete. Whatever they
asked and were answered is kept, for the checker."""

import hashlib
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.storm.films import Film, content, draw_film

PATIENCE = 90.0
"""Seconds a person goes on asking: the API and what stands behind it may be away, but not for ever."""
WISHES = {"nothing": 68, "reprocess": 16, "cancel": 6, "delete": 10}
"""What becomes of 100 videos."""
BEGIN = ("extract", "transcribe", "embed", "index")


@dataclass(frozen=True)
class Said:
    """A wish and its answer. `status`: of HTTP; None when there never came one. `at` as `time.time()`."""

    wish: str
    video_id: str
    status: int | None
    at: float
    detail: str = ""


@dataclass
class Story:
    """One film, from its upload to whatever was wished afterwards."""

    film: Film
    user: int
    video_id: str = ""
    sha256: str = ""
    wish: str = "nothing"
    said: list[Said] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        return any(one.wish == "upload" and one.status == 202 for one in self.said)

    def outcome(self, wish: str) -> str:
        """`none`: never asked; `done`, `refused`, or `unknown`."""
        found = [one for one in self.said if one.wish == wish]
        if not found:
            return "none"
        status = found[-1].status
        return "unknown" if status is None or status >= 500 else "done" if status < 300 else "refused"


class People:
    """`keys`: one API key for each user. Films and wishes are drawn by `dice`."""

    def __init__(self, url: str, keys: list[str], dice: random.Random, folder: Path) -> None:
        self.stories: list[Story] = []
        self.faults: list[str] = []
        """Answers that no fault excuses."""
        self._url, self._keys, self._dice, self._folder = url, keys, dice, folder
        self._pool = ThreadPoolExecutor(6, "person")
        self._api = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self._storage = httpx.Client(timeout=20, trust_env=False)
        self._busy: set[Future[None]] = set()
        self._over = threading.Event()

    @property
    def uploading(self) -> int:
        self._busy = {one for one in self._busy if not self._finished(one)}
        return len(self._busy)

    def begin(self) -> None:
        """Another film comes in, in a thread of its own."""
        story = Story(draw_film(self._dice, len(self.stories)), self._dice.randrange(len(self._keys)))
        self.stories.append(story)
        wish = self._dice.choices(list(WISHES), list(WISHES.values()))[0]
        if story.film.deserves is not None:
            wish = "nothing"
        story.wish = wish
        plan = (self._dice.uniform(0, 12), self._dice.choice(BEGIN), self._dice.randrange(10**9))
        self._busy.add(self._pool.submit(self.live, story, *plan))

    def provoke(self, step: str) -> None:
        """Somebody wishes what sets that step going, for a video whose user wished nothing else yet."""
        wish = {"delete": "delete", "cleanup": "cancel"}.get(step, "reprocess")
        idle = [one for one in self.stories if one.is_accepted and one.wish == "nothing" and one.film.deserves is None]
        if idle:
            story = idle[-1] if wish == "cancel" else idle[0]
            story.wish = wish
            self._busy.add(self._pool.submit(self._grant, story, step))

    def finish(self) -> None:
        """Everybody's last wish is answered, or given up."""
        for one in list(self._busy):
            one.result(PATIENCE * 4)
        self._busy.clear()

    def close(self) -> None:
        self._over.set()
        self._pool.shutdown(cancel_futures=True)
        self._api.close()
        self._storage.close()

    @staticmethod
    def _finished(one: "Future[None]") -> bool:
        return one.done() and one.result() is None

    def live(self, story: Story, pause: float, step: str, key: int) -> None:
        self._upload(story, key)
        if story.wish != "nothing" and story.is_accepted:
            self._over.wait(pause)
            self._grant(story, step)

    def _grant(self, story: Story, step: str) -> None:
        if story.wish == "reprocess":
            self._reprocess(story, step)
        elif story.wish == "cancel":
            self._ask(story, story.wish, "POST", f"/api/videos/{story.video_id}/cancel")
        else:
            # A lost answer is asked for again: gone is what was wanted.
            self._ask(story, story.wish, "DELETE", f"/api/videos/{story.video_id}", good=(404,))

    def _upload(self, story: Story, key: int) -> None:
        film, data = story.film, content(story.film, self._folder)
        story.sha256 = hashlib.sha256(data).hexdigest()
        declared = {"file_name": film.name, "file_size": len(data), "title": film.title, "sha256": story.sha256}
        once = {"Idempotency-Key": str(uuid.UUID(int=key))}
        created = self._ask(story, "create", "POST", "/api/videos", json=declared, headers=once)
        if created is None or created.status_code != 201:
            return
        story.video_id = created.json()["video_id"]
        if self._put(created.json()["upload"], data):
            self._ask(story, "upload", "POST", f"/api/videos/{story.video_id}/upload-complete", json={}, refused=(422,))

    def _put(self, upload: dict[str, Any], data: bytes) -> bool:
        def put() -> httpx.Response:
            return self._storage.put(upload["url"], content=data, headers=upload["headers"])

        answer = self._until(put, lambda answer: answer.status_code in (200, 412))
        return answer is not None

    def _reprocess(self, story: Story, step: str) -> None:
        """Once it has ended; before, the wish would be refused."""
        path = f"/api/videos/{story.video_id}/reprocess"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not self._over.is_set():
            answer = self._ask(story, "reprocess", "POST", path, json={"step": step}, detail=step, refused=(409,))
            if answer is None or answer.status_code != 409:
                return
            self._over.wait(1.0)

    def _ask(
        self,
        story: Story,
        wish: str,
        method: str,
        path: str,
        *,
        good: tuple[int, ...] = (),
        refused: tuple[int, ...] = (),
        detail: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response | None:
        """Again and again until there is an answer; what it was is kept."""
        login = {"Authorization": f"Bearer {self._keys[story.user]}", **(headers or {})}

        def ask() -> httpx.Response:
            return self._api.request(method, path, headers=login, **more)

        expected = {*good, *refused, 409}
        answer = self._until(ask, lambda answer: answer.status_code < 300 or answer.status_code in expected)
        status = answer.status_code if answer is not None else None
        story.said.append(Said(wish, story.video_id, 202 if status in good else status, time.time(), detail))
        return answer

    def _until(
        self, ask: Callable[[], httpx.Response], is_good: Callable[[httpx.Response], bool]
    ) -> httpx.Response | None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self._over.is_set():
            try:
                answer = ask()
            except httpx.HTTPError:
                self._over.wait(0.5)
                continue
            if is_good(answer):
                return answer
            self._note(answer)
            self._over.wait(0.5)
        return None

    def _note(self, answer: httpx.Response) -> None:
        """Being away is to be said as such, with a time to come back."""
        own = str(answer.request.url).startswith(self._url)
        if own and (answer.status_code != 503 or "Retry-After" not in answer.headers):
            self.faults.append(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}"
            )
