"""Google Cloud Storage, spoken with an emulator of it."""

from collections.abc import Iterator

import pytest

from biblio.adapters.storage.gcs import connect
from biblio.dsn import Dsn
from biblio.ports.storage import Storage
from tests.contracts.inventory import InventoryContract
from tests.contracts.multipart import MultipartContract
from tests.contracts.storage import StorageContract
from tests.emulators.gcs import Gcs, running_gcs


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    with running_gcs() as server:
        yield server


@pytest.fixture
def storage(gcs: Gcs) -> Iterator[Storage]:
    storage = connect(Dsn.parse(gcs.address))
    storage.prepare()
    yield storage
    storage.close()


class TestGcs(StorageContract):
    pass


class TestGcsInventory(InventoryContract):
    pass


class TestGcsMultipart(MultipartContract):
    pass
