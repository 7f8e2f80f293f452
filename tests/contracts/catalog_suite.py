"""What the suites of the catalog's views share: made-up users and videos, their jobs, and two small tools."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.video import Options, Video
from biblio.ports.catalog import Catalog
from biblio.ports.jobs import Claim
from tests.contracts.catalog_talks import TALK, write

T = TypeVar("T")


class CatalogSuite:
    """The adapter's class supplies `catalog`, prepared, and for some promises more (see `CatalogContract`).

    A queue holds jobs of the running test only.
    """

    @pytest.fixture
    def user(self, catalog: Catalog) -> Iterator[str]:
        user = new_user(catalog)
        yield user
        void(catalog, user)

    @pytest.fixture
    def others(self, catalog: Catalog) -> Iterator[list[str]]:
        """Two more users."""
        users = [new_user(catalog) for _ in range(2)]
        yield users
        for user in users:
            void(catalog, user)

    @pytest.fixture
    def video(self, catalog: Catalog, user: str) -> Video:
        return add_video(catalog, user)

    @pytest.fixture
    def indexed(self, catalog: Catalog, video: Video) -> Video:
        """Readers see what is said in it: `TALK`."""
        write(catalog, video, *TALK)
        return video


def new_user(catalog: Catalog) -> str:
    with catalog.transaction() as tx:
        return tx.users.add(f"user {uuid4().hex}")


def pages_of(catalog: Catalog, user: str, limit: int, **asked: Any) -> list[list[Video]]:
    """All pages of a list, one after the other."""
    pages: list[list[Video]] = []
    cursor = None
    while cursor is not None or not pages:
        with catalog.transaction() as tx:
            page = tx.videos.page(user, limit=limit, cursor=cursor, **asked)
        pages.append(list(page.videos))
        cursor = page.next
    return pages


def void(catalog: Catalog, user: str) -> None:
    """Put all videos of a user into another generation, so that their jobs are in nobody's way."""
    with catalog.transaction() as tx:
        for video in tx.videos.page(user, limit=10_000).videos:
            tx.videos.update(video.id, generation=video.generation + 1)


def made_up(user_id: str, **changes: Any) -> Video:
    video_id, now = str(uuid4()), datetime.now(UTC)
    fields: dict[str, Any] = {
        "id": video_id,
        "user_id": user_id,
        "title": "강의 1 – 트랜잭션",
        "file_name": "강의 1.mp4",
        "file_size": 5 * 1024**3,
        "mime_type": "video/mp4",
        "key": f"videos/{video_id}/original.mp4",
        "status": Status.PENDING,
        "options": Options("ko", "high_quality"),
        "created_at": now,
        "updated_at": now,
    }
    return Video(**{**fields, **changes})


def add_video(catalog: Catalog, user_id: str, **changes: Any) -> Video:
    video = made_up(user_id, **changes)
    with catalog.transaction() as tx:
        tx.videos.add(video)
    return video


def add_jobs(catalog: Catalog, user_id: str, count: int, step: Step = Step.EXTRACT) -> list[Video]:
    """Videos that wait for a step, all since the same moment or nearly so."""
    videos = [made_up(user_id) for _ in range(count)]
    with catalog.transaction() as tx:
        for video in videos:
            tx.videos.add(video)
            tx.jobs.request(video, step)
    return videos


def request(catalog: Catalog, video: Video, step: Step = Step.EXTRACT) -> None:
    with catalog.transaction() as tx:
        tx.jobs.request(video, step)


def claim(catalog: Catalog, queue: Queue = Queue.MEDIA, *, seconds: float = 30.0, owner: str = "me") -> Claim | None:
    with catalog.transaction() as tx:
        return tx.jobs.claim(queue, owner, seconds=seconds)


def claimed(catalog: Catalog, queue: Queue = Queue.MEDIA, *, seconds: float = 30.0, owner: str = "me") -> Claim:
    found = claim(catalog, queue, seconds=seconds, owner=owner)
    assert found is not None
    return found


def at_once(count: int, call: Callable[[int], T]) -> list[T]:
    """The answers of `count` threads that all begin together."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def eventually(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it came true within so many seconds."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def ids_of(videos: Iterable[Video]) -> list[str]:
    return [video.id for video in videos]
