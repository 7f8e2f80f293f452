"""SeaweedFS, once through the adapter and once behind its back."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import boto3
import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.ports.storage import Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_STORAGE"])


@pytest.fixture
def storage(dsn: Dsn) -> Iterator[Storage]:
    storage = connect(dsn)
    storage.prepare()
    yield storage
    storage.close()


@pytest.fixture
def bare(dsn: Dsn) -> "S3Client":
    """boto3 itself, to look behind the adapter's back."""
    return boto3.client(
        "s3",
        endpoint_url=dsn.options["endpoint"],
        aws_access_key_id=dsn.username,
        aws_secret_access_key=dsn.password,
        region_name="us-east-1",
    )
