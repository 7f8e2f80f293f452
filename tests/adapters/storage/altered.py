"""Other addresses of the same storage."""

from dataclasses import replace

from biblio.dsn import Dsn


def altered(dsn: Dsn, bucket: str | None = None, **options: str) -> Dsn:
    return replace(dsn, host=bucket or dsn.host, options={**dsn.options, **options})
