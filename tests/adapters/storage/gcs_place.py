"""Storage at an emulator of Google Cloud Storage, or at whoever stands in its place."""

from collections.abc import Iterator
from contextlib import contextmanager

from biblio.adapters.storage.gcs import connect
from biblio.dsn import Dsn
from biblio.ports.storage import Storage
from tests.adapters.storage.altered import altered
from tests.emulators.gcs import Gcs


@contextmanager
def storage_at(gcs: Gcs, bucket: str | None = None, **options: str) -> Iterator[Storage]:
    """`endpoint` may be another server's: tokens come from the emulator all the same."""
    storage = connect(altered(Dsn.parse(gcs.address), bucket, **options))
    yield storage
    storage.close()
