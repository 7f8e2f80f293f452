"""Vectors in Weaviate, tested against an emulator."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from biblio.adapters.vectors.weaviate import connect
from biblio.dsn import Dsn
from biblio.ports.vectors import VectorStore
from tests.contracts.vectors import DIMENSION, VectorsContract
from tests.emulators.weaviate import Weaviate, running_weaviate


@pytest.fixture(scope="module")
def weaviate() -> Iterator[Weaviate]:
    with running_weaviate() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def dsn(weaviate: Weaviate) -> Dsn:
    """What bootstrap makes of the address."""
    return _in_space(Dsn.parse(weaviate.address), "contract")


@pytest.fixture(scope="module")
def shared(dsn: Dsn) -> Iterator[VectorStore]:
    store = connect(dsn)
    store.prepare()
    yield store
    store.close()


class TestWeaviate(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, dsn: Dsn) -> Iterator[VectorStore]:
        store = connect(_in_space(dsn, "another model"))
        yield store
        store.close()

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None  # each user has an index, which Weaviate reads or not as it sees fit

    @pytest.fixture
    def absent(self, dsn: Dsn) -> VectorStore:
        return connect(replace(dsn, port=_closed_port()))


def _in_space(dsn: Dsn, space: str, **options: str) -> Dsn:
    return replace(dsn, options={**dsn.options, "space": space, "dimension": str(DIMENSION), **options})


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
