"""What a bucket at Google really holds."""

from collections.abc import Callable, Iterator, Sequence

from google.cloud.storage import Client

from biblio.adapters.storage.gcs_errors import translated
from biblio.ports.storage import StoredObject

FIELDS = "items(name,size,generation),nextPageToken"


class GcsInventory:
    """See `biblio.ports.inventory.Inventory`. Safe for threads."""

    def __init__(
        self, bucket: str, client: Callable[[], Client], unfinished: Callable[[str], Sequence[tuple[str, str]]]
    ) -> None:
        self._bucket = bucket
        self._client = client
        self._unfinished = unfinished

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        with translated(prefix):
            for blob in self._client().list_blobs(self._bucket, prefix=prefix, fields=FIELDS, retry=None):
                yield StoredObject(blob.name, blob.size, str(blob.generation), "")

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        yield from self._unfinished(prefix)
