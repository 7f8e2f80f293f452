"""Real engines, started once for the whole run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Addresses (`BIBLIO_DATABASE`, `BIBLIO_STORAGE`, `BIBLIO_QUEUE`, `BIBLIO_LIMITER`) of freshly started engines."""
    folder = DataFolder(tmp_path_factory.mktemp("engines"))
    with LocalStack(folder, programs=lambda _addresses, _port: (), prepare=lambda _addresses: None) as stack:
        yield stack.addresses


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The shared real speech and hostile files; see the README on how to point at them."""
    from biblio.settings import read_settings

    folder = read_settings().test_data or Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "manifest.jsonl").is_file():
        pytest.skip(f"no test data at {folder}; set BIBLIO_TEST_DATA")
    return folder
