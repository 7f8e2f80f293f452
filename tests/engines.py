"""Real engines, and no program of ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack


@contextmanager
def running_engines(folder: Path) -> Iterator[Mapping[str, str]]:
    """Their addresses (`BIBLIO_DATABASE`, `BIBLIO_STORAGE`, `BIBLIO_QUEUE`, `BIBLIO_LIMITER`)."""
    with LocalStack(DataFolder(folder), programs=lambda *_: (), prepare=lambda _: None) as stack:
        yield stack.addresses
