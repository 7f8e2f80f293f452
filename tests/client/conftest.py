"""A client and the API it talks to: an emulator on real sockets."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.client.backoff import Retries
from tests.emulators.biblio_api import KEY, ApiEmulator, running_api

KIB = 1024
PART = 256 * KIB
QUICK = Retries(first=0.01, longest=0.05)


@pytest.fixture
def api() -> Iterator[ApiEmulator]:
    with running_api() as server:
        yield server


@pytest.fixture
def client(api: ApiEmulator) -> Iterator[Client]:
    with Client(api.url, KEY) as client:
        yield client


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "데이터베이스 강의 [01].mp4"
    path.write_bytes(os.urandom(3_000_000))
    return path


@pytest.fixture
def in_parts(api: ApiEmulator) -> ApiEmulator:
    """The API, with `film` in 12 parts, the last of which is shorter."""
    api.threshold, api.part_size = 0, PART
    return api
