"""Real engines and a real supervisord, in a folder of their own."""

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config

from biblio.dsn import Dsn
from biblio.errors import BiblioError
from biblio.local.folder import DataFolder
from biblio.local.program import Program
from biblio.local.stack import LocalStack

NO_ENGINES = dict.fromkeys(("BIBLIO_DATABASE", "BIBLIO_STORAGE", "BIBLIO_QUEUE", "BIBLIO_LIMITER"), "given://elsewhere")


def make_stack(
    folder: DataFolder,
    *programs: Program,
    engines: bool = True,
    say: Callable[[str], None] = print,
    given: Mapping[str, str] | None = None,
    arrivals: str | None = None,
) -> LocalStack:
    return LocalStack(
        folder,
        programs=lambda _addresses, _port: programs,
        prepare=lambda _addresses: None,
        on_event=say,
        given=given or ({} if engines else NO_ENGINES),
        arrivals=arrivals,
    )


def s3_client(address: str) -> Any:
    dsn = Dsn.parse(address)
    return boto3.client(
        "s3",
        endpoint_url=dsn.options["endpoint"],
        region_name=dsn.options["region"],
        aws_access_key_id=dsn.username,
        aws_secret_access_key=dsn.password,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


class Watching:
    """`stack.watch` in a thread; `lines` is what the stack said, `error` what `watch` raised."""

    def __init__(self, stack: LocalStack) -> None:
        self._stop = Event()
        self.error: BiblioError | None = None
        self._thread = Thread(target=self._watch, args=[stack])

    def _watch(self, stack: LocalStack) -> None:
        try:
            stack.watch(self._stop)
        except BiblioError as error:
            self.error = error

    def __enter__(self) -> "Watching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return DataFolder(tmp_path_factory.mktemp("private", numbered=True) / "data")


@pytest.fixture(scope="module")
def stack(folder: DataFolder) -> Iterator[LocalStack]:
    with make_stack(folder) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
