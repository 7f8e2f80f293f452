"""Real engines, started once for the whole run, and a whole local biblio for the tests that need one."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from biblio.client import Client
from biblio.entrypoints.cli.local_library import LocalLibrary
from biblio.local.folder import DataFolder
from biblio.settings import read_settings
from tests.engines import running_engines
from tests.rabbitmq import RabbitMQ, running


def pytest_addoption(parser: pytest.Parser) -> None:
    chaos = parser.getgroup("chaos")
    chaos.addoption("--upload-cuts", type=int, default=40, help="how often uploads are cut (judged with 200)")
    chaos.addoption("--upload-seed", type=int, help="where and how they are cut: the seed that a failure has named")
    chaos.addoption(
        "--upload-rounds", type=int, default=40, help="races of the calls that end an upload (judged with 100)"
    )
    chaos.addoption("--fuzz-calls", type=int, default=10, help="made-up calls for each route (judged with 100)")
    chaos.addoption("--fuzz-seed", type=int, help="which calls: the seed that a failure has named")
    chaos.addoption("--socket-drops", type=int, default=30, help="how often live sockets are dropped (judged with 100)")
    chaos.addoption("--socket-seed", type=int, help="how and when: the seed that a failure has named")
    chaos.addoption("--storm-runs", type=int, default=6, help="faults in a storm on each broker (make chaos: 100)")
    chaos.addoption("--storm-seed", type=int, help="which: the seed that a failure has named")
    chaos.addoption("--race-pairs", type=int, default=18, help="pairs of calls at once (judged with 100)")
    chaos.addoption("--race-seed", type=int, help="which and when: the seed that a failure has named")
    chaos.addoption("--every-fault", action="store_true", help="each write fails in all four ways, not in two")
    chaos.addoption(
        "--lecture-hours", type=float, default=1.0, help="of the lecture whose worker is killed (judged with 3)"
    )
    chaos.addoption("--resume-kills", type=int, default=10, help="how many talks are killed while they are heard")
    chaos.addoption("--resume-seed", type=int, help="at which moments: the seed that a failure has named")
    chaos.addoption("--broker-trials", type=int, default=1, help="how often each line breaks (judged with 10)")
    chaos.addoption("--rate-seconds", type=float, default=10.0, help="how long a quota is spent (judged with 90)")
    chaos.addoption("--fuzz-media", type=int, default=500, help="how many damaged media files are tried")
    chaos.addoption("--fuzz-media-seed", type=int, help="how they are damaged: the seed that a failure has named")


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Addresses of engines that all tests share: whatever others left is in them."""
    with running_engines(tmp_path_factory.mktemp("engines")) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def own_addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Addresses of engines that no other module uses, for tests that look at all there is."""
    with running_engines(tmp_path_factory.mktemp("own-engines")) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """The other broker. Who stops it starts it again."""
    with running(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


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
