"""Real engines, started once for the whole run, and a whole local biblio for the tests that need one."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.entrypoints.cli.local_library import LocalLibrary
from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack
from biblio.settings import read_settings


def pytest_addoption(parser: pytest.Parser) -> None:
    chaos = parser.getgroup("chaos")
    chaos.addoption("--upload-cuts", type=int, default=100, help="how often uploads are cut (judged with 200)")
    chaos.addoption("--upload-seed", type=int, help="where and how they are cut: the seed that a failure has named")
    chaos.addoption("--upload-rounds", type=int, default=100, help="races of the calls that end an upload")


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Addresses (`BIBLIO_DATABASE`, `BIBLIO_STORAGE`, `BIBLIO_QUEUE`, `BIBLIO_LIMITER`) of freshly started engines."""
    folder = DataFolder(tmp_path_factory.mktemp("engines"))
    with LocalStack(folder, programs=lambda _addresses, _port: (), prepare=lambda _addresses: None) as stack:
        yield stack.addresses


@dataclass(frozen=True)
class Server:
    """A running biblio, with its real workers. `key` belongs to its local user."""

    url: str
    key: str
    folder: DataFolder
    addresses: Mapping[str, str]

    def client(self) -> Client:
        return Client(self.url, self.key)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = DataFolder(tmp_path_factory.mktemp("library"))
    library = LocalLibrary(folder, read_settings(), port=None, say=lambda _line: None)
    with library.stack:
        yield Server(library.page, folder.api_key.read_text().strip(), folder, library.stack.addresses)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The shared real speech and hostile files; see the README on how to point at them."""
    folder = read_settings().test_data or Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "manifest.jsonl").is_file():
        pytest.skip(f"no test data at {folder}; set BIBLIO_TEST_DATA")
    return folder


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """CI has everything, so there a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if reporter and skipped and os.environ.get("CI") and exitstatus == 0:
        reporter.write_line(f"{len(skipped)} tests were skipped, and CI allows none", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
