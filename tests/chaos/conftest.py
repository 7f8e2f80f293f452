"""A place for the chaos tests, and the seed of a run. Its options are in tests/conftest.py."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack
from tests.chaos.place import Place, open_place
from tests.chaos.sending import Sender


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """Not pytest's own temporary folder, which is kept: gigabytes are sent here."""
    with tempfile.TemporaryDirectory(prefix="biblio-chaos-") as temporary:
        folder = DataFolder(Path(temporary) / "engines")
        with (
            LocalStack(folder, programs=lambda _addresses, _port: (), prepare=lambda _addresses: None) as stack,
            open_place(stack.addresses, Path(temporary)) as place,
        ):
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
