"""What the suites of the catalog's views share: made-up users and videos, and two small tools."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from biblio.domain.flow import Status
from biblio.domain.video import Options, Video
from biblio.ports.catalog import Catalog

T = TypeVar("T")


class CatalogSuite:
    """The adapter's class supplies `catalog`, prepared, and for some promises more (see `CatalogContract`)."""

    @pytest.fixture
    def user(self, catalog: Catalog) -> str:
        return new_user(catalog)

    @pytest.fixture
    def video(self, catalog: Catalog, user: str) -> Video:
        return add_video(catalog, user)


def new_user(catalog: Catalog) -> str:
    with catalog.transaction() as tx:
        return tx.users.add(f"user {uuid4().hex}")


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
