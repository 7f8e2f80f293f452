"""Vectors in Qdrant: at a server that is an emulator, and in the library's own store."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from biblio.adapters.vectors.qdrant import connect
from biblio.dsn import Dsn
from biblio.ports.vectors import VectorStore
from tests.contracts.vectors import DIMENSION, VectorsContract
from tests.emulators.qdrant import QdrantEmulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[QdrantEmulator]:
    emulator = QdrantEmulator()
    with emulator.running():
        yield emulator


@pytest.fixture
def dsn(emulator: QdrantEmulator) -> Dsn:
    return _in_space(emulator.address, "contract")


@pytest.fixture(scope="module")
def shared(emulator: QdrantEmulator) -> Iterator[VectorStore]:
    with closing(connect(_in_space(emulator.address, "contract"))) as store:
        store.prepare()
        yield store


class TestQdrantServer(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, dsn: Dsn) -> Iterator[VectorStore]:
        with closing(connect(_in_space(dsn.text(), "another model"))) as store:
            yield store

    @pytest.fixture
    def absent(self) -> VectorStore:
        return connect(_in_space("qdrant://127.0.0.1:1", "contract"))

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None


class TestQdrantFolder(VectorsContract):
    """In memory, which is the same code without writing."""

    @pytest.fixture
    def vectors(self) -> Iterator[VectorStore]:
        with closing(connect(_in_space("qdrant:///:memory:", "contract"))) as store:
            store.prepare()
            yield store

    @pytest.fixture
    def elsewhere(self) -> Iterator[VectorStore]:
        with closing(connect(_in_space("qdrant:///:memory:", "another model"))) as store:
            yield store

    @pytest.fixture
    def absent(self, tmp_path: Path) -> VectorStore:
        return connect(_in_space("qdrant://127.0.0.1:1", "contract"))

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None


def _in_space(address: str, space: str) -> Dsn:
    dsn = Dsn.parse(address)
    return replace(dsn, options={**dsn.options, "space": space, "dimension": str(DIMENSION)})
