"""How S3 storage calls what goes wrong, seen on a real socket."""

import io
import socket
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import chain

import pytest

from biblio.adapters.storage.s3 import connect
from biblio.dsn import Dsn
from biblio.errors import (
    BiblioError,
    Conflict,
    InvalidInput,
    Misconfigured,
    NotFound,
    RateLimited,
    Rejected,
    TooLarge,
    Unavailable,
)
from biblio.ports.multipart import StoredPart
from biblio.ports.storage import Storage
from tests.adapters.storage.rude_server import (
    Behaviour,
    answers,
    breaks_off,
    error,
    hangs_up,
    rude_server,
    says_nothing,
    stops_midway,
    talks_rubbish,
)

KEY, SECRET = "AKIAVERYKNOWNKEY", "very/secret+words"

CALLS: dict[str, Callable[[Storage], object]] = {
    "ping": lambda storage: storage.ping(),
    "prepare": lambda storage: storage.prepare(),
    "stat": lambda storage: storage.stat("videos/1/original.mp4"),
    "read": lambda storage: list(storage.read("videos/1/original.mp4")),
    "write": lambda storage: storage.write("videos/1/a.mp3", io.BytesIO(b"abc"), content_type="audio/mpeg"),
    "write large": lambda storage: storage.write("videos/1/a.mp3", io.BytesIO(bytes(9_000_000)), content_type="a/b"),
    "remove": lambda storage: storage.remove("videos/1/"),
    "begin": lambda storage: storage.multipart.begin("videos/1/a", content_type="a/b", checksums=False),
    "begin with checksums": lambda storage: storage.multipart.begin("videos/1/a", content_type="a/b", checksums=True),
    "parts": lambda storage: storage.multipart.parts("videos/1/a", "id"),
    "complete": lambda storage: storage.multipart.complete("videos/1/a", "id", [StoredPart(1, 1, '"0"')]),
    "abort": lambda storage: storage.multipart.abort("videos/1/a", "id"),
}

WRONG: dict[str, tuple[Behaviour, type[BiblioError]]] = {
    "503": (answers("503 Service Unavailable"), Unavailable),
    "500": (error("500 Internal Server Error", "InternalError"), Unavailable),
    "502 from a proxy": (answers("502 Bad Gateway", "<html>nginx</html>"), Unavailable),
    "silence": (says_nothing, Unavailable),
    "hung up": (hangs_up, Unavailable),
    "another protocol": (talks_rubbish, Unavailable),
    "slow down": (error("503 Slow Down", "SlowDown"), RateLimited),
    "429": (error("429 Too Many Requests", "TooManyRequests"), RateLimited),
    "denied": (error("403 Forbidden", "AccessDenied"), Misconfigured),
    "clock": (error("403 Forbidden", "RequestTimeTooSkewed"), Unavailable),
    "another region": (error("301 Moved Permanently", "PermanentRedirect"), Misconfigured),
    "sent to https": (answers("301 Moved Permanently", "<html>", "Location: https://127.0.0.1:1/"), Misconfigured),
    "sent to a login": (answers("302 Found", "", "Location: https://127.0.0.1:1/login"), Misconfigured),
    "unknown code": (error("400 Bad Request", "ThisIsNew"), Rejected),
}


def _at(endpoint: str) -> Storage:
    options = {"endpoint": endpoint, "read_timeout": "0.5", "connect_timeout": "0.5"}
    return connect(Dsn("s3", "bucket", username=KEY, password=SECRET, options=options))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_goes_wrong_is_one_of_our_errors(call: str, wrong: str) -> None:
    behaviour, kind = WRONG[wrong]
    # The codes come in the body, and HEAD has none: there the status alone speaks.
    speechless = Misconfigured if wrong == "clock" else Unavailable if kind is RateLimited else kind
    headless = speechless if call in {"ping", "prepare", "stat"} else kind
    with rude_server(behaviour) as endpoint:
        storage = _at(endpoint)
        with pytest.raises(BiblioError) as caught:
            CALLS[call](storage)
    assert type(caught.value) in {kind, headless}
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(storage)
    assert SECRET not in shown
    assert "Signature=" not in shown


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("hours", "kind"), [(-1, Unavailable), (1, Unavailable), (0, Misconfigured)])
def test_a_refusal_by_whom_the_clock_differs_from_is_no_wrong_key(
    call: str, hours: int, kind: type[BiblioError]
) -> None:
    """To HEAD as to others: not every storage says why."""
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    with rude_server(answers("403 Forbidden", "", f"Date: {date}")) as endpoint, pytest.raises(kind) as caught:
        CALLS[call](_at(endpoint))
    assert caught.value.code == ("CLOCK_SKEWED" if hours else "MISCONFIGURED")


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_away_is_unavailable(call: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable):
        CALLS[call](_at(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("behaviour", "kind", "code"),
    [
        (error("404 Not Found", "NoSuchKey"), NotFound, "NOT_FOUND"),
        (error("404 Not Found", "NoSuchBucket"), Misconfigured, "MISCONFIGURED"),
        (error("412 Precondition Failed", "PreconditionFailed"), Conflict, "OBJECT_CHANGED"),
        (error("416 Range Not Satisfiable", "InvalidRange"), InvalidInput, "RANGE_OUTSIDE_OBJECT"),
        (error("400 Bad Request", "EntityTooLarge"), TooLarge, "TOO_LARGE"),
        (error("400 Bad Request", "ExpiredToken"), Misconfigured, "MISCONFIGURED"),
        (error("400 Bad Request", "RequestTimeout"), Unavailable, "ENGINE_UNAVAILABLE"),
        (error("501 Not Implemented", "NotImplemented"), Misconfigured, "NOT_SUPPORTED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_keeps_its_meaning(behaviour: Behaviour, kind: type[BiblioError], code: str) -> None:
    with rude_server(behaviour) as endpoint, pytest.raises(kind) as caught:
        CALLS["read"](_at(endpoint))
    assert caught.value.code == code
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("vendor", "kind", "code"),
    [
        ("NoSuchUpload", NotFound, "NOT_FOUND"),
        ("InvalidPart", Conflict, "PARTS_CHANGED"),
        ("InvalidPartOrder", Conflict, "PARTS_CHANGED"),
        ("EntityTooSmall", InvalidInput, "PART_TOO_SMALL"),
    ],
)
def test_what_is_wrong_with_parts_keeps_its_meaning(vendor: str, kind: type[BiblioError], code: str) -> None:
    # As Amazon does it when it finds out late: in the body of an answer that began with 200.
    for status in ("400 Bad Request", "200 OK"):
        with rude_server(error(status, vendor)) as endpoint, pytest.raises(kind) as caught:
            CALLS["complete"](_at(endpoint))
        assert caught.value.code == code


def test_a_wish_for_fewer_calls_says_when_to_come_back() -> None:
    slower = error("503 Slow Down", "SlowDown", "Retry-After: 7")
    with rude_server(slower) as endpoint, pytest.raises(RateLimited) as caught:
        CALLS["read"](_at(endpoint))
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("behaviour", [breaks_off, stops_midway])
def test_a_transfer_that_ends_early_is_unavailable_and_never_short(behaviour: Behaviour) -> None:
    received = bytearray()
    with rude_server(behaviour) as endpoint, pytest.raises(Unavailable):
        received.extend(chain.from_iterable(_at(endpoint).read("a")))
    assert len(received) < 1000


def test_a_server_that_ignores_the_range_is_refused() -> None:
    with rude_server(answers("200 OK", "0123456789")) as endpoint, pytest.raises(Rejected):
        list(_at(endpoint).read("a", start=2, end=4))


def test_closing_a_read_ends_the_transfer() -> None:
    ended = threading.Event()

    def sends_for_ever(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        try:
            while True:
                connection.sendall(bytes(65536))
        except OSError:
            ended.set()

    with rude_server(sends_for_ever) as endpoint:
        pieces = _at(endpoint).read("a")
        next(pieces)
        assert not ended.wait(0.2)
        pieces.close()
        assert ended.wait(5)


def test_nothing_is_tried_twice() -> None:
    calls: list[float] = []

    def counts(connection: socket.socket) -> None:
        calls.append(time.monotonic())
        answers("503 Service Unavailable")(connection)

    with rude_server(counts) as endpoint, pytest.raises(Unavailable):
        CALLS["stat"](_at(endpoint))
    assert len(calls) == 1


def test_a_missing_profile_is_misconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody-made-this-profile")
    with pytest.raises(Misconfigured):
        connect(Dsn("s3", "bucket")).ping()


def test_missing_credentials_are_misconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    storage = connect(Dsn("s3", "bucket", options={"endpoint": "http://127.0.0.1:1"}))
    for call in (storage.ping, partial(storage.sign_upload, "a", size=1, content_type="a/b", seconds=9)):
        with pytest.raises(Misconfigured):
            call()
