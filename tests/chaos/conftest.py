"""A place for the chaos tests, and the seed of a run. Its options are in tests/conftest.py."""

import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.chaos.place import Place, open_place
from tests.chaos.sending import Sender
from tests.engines import running_engines


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """Not pytest's own temporary folder, which is kept: gigabytes are sent here."""
    with tempfile.TemporaryDirectory(prefix="biblio-chaos-") as temporary:
        folder = Path(temporary)
        with running_engines(folder / "engines") as addresses, open_place(addresses, folder) as place:
            yield place


@pytest.fixture(scope="module")
def own_place(own_addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where no other module has left work, or drift."""
    with open_place(own_addresses, tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    given: int | None = request.config.getoption("--upload-seed")
    return given if given is not None else random.SystemRandom().randrange(1_000_000)


@pytest.fixture(scope="session")
def sender(place: Place) -> Iterator[Sender]:
    """Before an API of the usual limits."""
    with place.api() as url:
        sender = Sender(place, url)
        yield sender
        sender.close()
