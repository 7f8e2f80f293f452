"""The road, a user of its own, and a video that was just set on it."""

from collections.abc import Iterator, Mapping

import pytest

from biblio.domain.video import Video
from tests.pipeline.road import Road, open_road


@pytest.fixture(scope="module")
def road(addresses: Mapping[str, str]) -> Iterator[Road]:
    with open_road(addresses) as road:
        yield road


@pytest.fixture
def user(road: Road) -> Iterator[str]:
    """With all of its videos it is gone after the test."""
    user = road.new_user()
    yield user
    road.forget(user)


@pytest.fixture
def begun(road: Road, user: str) -> Video:
    """Uploaded and set on its road."""
    return road.begun(user)
