"""What a bucket really holds."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from biblio.adapters.storage.s3_errors import translated
from biblio.ports.storage import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Inventory:
    """See `biblio.ports.inventory.Inventory`. Safe for threads."""

    def __init__(self, bucket: str, client: "Callable[[], S3Client]") -> None:
        self._bucket = bucket
        self._client = client

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        with translated(prefix):
            pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    yield StoredObject(entry["Key"], entry["Size"], entry["ETag"], "")

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        with translated(prefix):
            pages = self._client().get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Uploads", []):
                    yield entry["Key"], entry["UploadId"]
