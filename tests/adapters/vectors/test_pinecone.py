"""Vectors in Pinecone, against an emulator that its own client library talks to."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from biblio.adapters.vectors.pinecone import connect
from biblio.dsn import Dsn
from biblio.ports.vectors import VectorStore
from tests.contracts.vectors import DIMENSION, VectorsContract
from tests.emulators.pinecone import PineconeEmulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[PineconeEmulator]:
    emulator = PineconeEmulator()
    with emulator.running():
        yield emulator


@pytest.fixture(scope="module")
def shared(emulator: PineconeEmulator) -> Iterator[VectorStore]:
    with closing(connect(_in_space(emulator.address, "contract"))) as store:
        store.prepare()
        yield store


class TestPinecone(VectorsContract):
    @pytest.fixture
    def vectors(self, shared: VectorStore) -> VectorStore:
        return shared

    @pytest.fixture
    def elsewhere(self, emulator: PineconeEmulator) -> Iterator[VectorStore]:
        with closing(connect(_in_space(emulator.address, "another model"))) as store:
            yield store

    @pytest.fixture
    def absent(self) -> VectorStore:
        return connect(_in_space("pinecone://:key@biblio?endpoint=http://127.0.0.1:1", "contract"))

    @pytest.fixture
    def crowded(self) -> Callable[[], None]:
        return lambda: None


def _in_space(address: str, space: str) -> Dsn:
    dsn = Dsn.parse(address)
    return replace(dsn, options={**dsn.options, "space": space, "dimension": str(DIMENSION)})
