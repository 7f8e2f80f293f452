"""How storage at Google calls what goes wrong, seen on a real socket."""

import io
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from itertools import chain

import pytest

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
from tests.adapters.storage.gcs_place import storage_at
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
from tests.emulators.faults import CUT, DROP, LOSE, Fault
from tests.emulators.gcs import Gcs, running_gcs

KEY = "videos/1/original.mp4"
CALLS: dict[str, Callable[[Storage], object]] = {
    "ping": lambda storage: storage.ping(),
    "prepare": lambda storage: storage.prepare(),
    "stat": lambda storage: storage.stat(KEY),
    "read": lambda storage: list(storage.read(KEY)),
    "write": lambda storage: storage.write(KEY, io.BytesIO(b"abc"), content_type="audio/mpeg"),
    "write large": lambda storage: storage.write(KEY, io.BytesIO(bytes(9_000_000)), content_type="a/b"),
    "remove": lambda storage: storage.remove("videos/1/"),
    "objects": lambda storage: list(storage.inventory.objects("videos/1/")),
    "begin": lambda storage: storage.multipart.begin(KEY, content_type="a/b", checksums=True),
    "parts": lambda storage: storage.multipart.parts(KEY, "id"),
    "complete": lambda storage: storage.multipart.complete(KEY, "id", [StoredPart(1, 1, '"0"')]),
    "abort": lambda storage: storage.multipart.abort(KEY, "id"),
}


def reason(status: str, reason: str) -> Behaviour:
    """Answers as the JSON API does."""
    code = status.partition(" ")[0]
    return answers(status, f'{{"error": {{"code": {code}, "message": "no", "errors": [{{"reason": "{reason}"}}]}}}}')


WRONG: dict[str, tuple[Behaviour, type[BiblioError]]] = {
    "503": (answers("503 Service Unavailable"), Unavailable),
    "500": (reason("500 Internal Server Error", "backendError"), Unavailable),
    "502 from a proxy": (answers("502 Bad Gateway", "<html>nginx</html>"), Unavailable),
    "silence": (says_nothing, Unavailable),
    "hung up": (hangs_up, Unavailable),
    "another protocol": (talks_rubbish, Unavailable),
    "429": (answers("429 Too Many Requests"), RateLimited),
    "too fast": (reason("403 Forbidden", "userRateLimitExceeded"), RateLimited),
    "denied": (reason("403 Forbidden", "forbidden"), Misconfigured),
    "sent to https": (answers("301 Moved Permanently", "<html>", "Location: https://127.0.0.1:1/"), Misconfigured),
    "sent to a login": (answers("302 Found", "", "Location: https://127.0.0.1:1/login"), Misconfigured),
    "sent on for ever": (answers("308 Permanent Redirect", "", "Location: https://127.0.0.1:1/"), Misconfigured),
    "unknown reason": (reason("400 Bad Request", "thisIsNew"), Rejected),
}


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    with running_gcs() as server, storage_at(server) as storage:
        storage.prepare()
        yield server


def _seen(storage: Storage, call: str) -> BiblioError:
    with pytest.raises(BiblioError) as caught:
        CALLS[call](storage)
    return caught.value


def _call(gcs: Gcs, call: str, behaviour: Behaviour) -> BiblioError:
    with rude_server(behaviour) as endpoint, storage_at(gcs, endpoint=endpoint) as storage:
        return _seen(storage, call)


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_goes_wrong_is_one_of_our_errors(gcs: Gcs, wrong: str) -> None:
    behaviour, kind = WRONG[wrong]
    limits = {"read_timeout": "0.2", "connect_timeout": "0.5"} if wrong == "silence" else {}
    with rude_server(behaviour) as endpoint, storage_at(gcs, endpoint=endpoint, **limits) as storage:
        seen = {call: _seen(storage, call) for call in CALLS}
    assert {call: type(caught) for call, caught in seen.items()} == dict.fromkeys(CALLS, kind)
    shown = "".join("".join(traceback.format_exception(caught)) + repr(caught) for caught in seen.values())
    assert [token for token in gcs.account.tokens if token in shown] == []


def test_a_server_that_is_away_is_unavailable(gcs: Gcs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with storage_at(gcs, endpoint=f"http://127.0.0.1:{port}") as storage:
        assert {type(_seen(storage, call)) for call in CALLS} == {Unavailable}


@pytest.mark.parametrize(
    ("behaviour", "kind", "code"),
    [
        (answers("404 Not Found", f"No such object: bucket/{KEY}"), NotFound, "NOT_FOUND"),
        (answers("404 Not Found", "The specified bucket does not exist."), Misconfigured, "MISCONFIGURED"),
        (answers("416 Requested Range Not Satisfiable"), InvalidInput, "RANGE_OUTSIDE_OBJECT"),
        (answers("413 Request Entity Too Large"), TooLarge, "TOO_LARGE"),
        (answers("408 Request Timeout"), Unavailable, "ENGINE_UNAVAILABLE"),
        (answers("501 Not Implemented"), Misconfigured, "NOT_SUPPORTED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_keeps_its_meaning(gcs: Gcs, behaviour: Behaviour, kind: type[BiblioError], code: str) -> None:
    caught = _call(gcs, "read", behaviour)
    assert (type(caught), caught.code) == (kind, code)
    assert caught.__cause__ is not None


@pytest.mark.parametrize(
    ("vendor", "kind", "code"),
    [
        ("NoSuchUpload", NotFound, "NOT_FOUND"),
        ("InvalidPart", Conflict, "PARTS_CHANGED"),
        ("InvalidPartOrder", Conflict, "PARTS_CHANGED"),
        ("EntityTooSmall", InvalidInput, "PART_TOO_SMALL"),
        ("SlowDown", RateLimited, "RATE_LIMITED"),
    ],
)
def test_what_is_wrong_with_parts_keeps_its_meaning(gcs: Gcs, vendor: str, kind: type[BiblioError], code: str) -> None:
    # Also where it comes in the body of an answer that began with 200.
    for status in ("400 Bad Request", "200 OK"):
        caught = _call(gcs, "complete", error(status, vendor))
        assert (type(caught), caught.code) == (kind, code)


@pytest.mark.parametrize("behaviour", [breaks_off, stops_midway])
def test_a_transfer_that_ends_early_is_unavailable_and_never_short(gcs: Gcs, behaviour: Behaviour) -> None:
    received = bytearray()
    with (
        rude_server(behaviour) as endpoint,
        storage_at(gcs, endpoint=endpoint, read_timeout="0.5") as storage,
        pytest.raises(Unavailable),
    ):
        received.extend(chain.from_iterable(storage.read("a")))
    assert len(received) < 1000


def test_an_error_that_breaks_off_is_unavailable(gcs: Gcs) -> None:
    def breaks_off_within(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000\r\n\r\nhalf")

    assert type(_call(gcs, "read", breaks_off_within)) is Unavailable


def test_what_has_no_length_is_refused_and_not_taken_for_nothing(gcs: Gcs) -> None:
    def sends_chunks(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")

    assert type(_call(gcs, "read", sends_chunks)) is Rejected


@pytest.mark.parametrize("kept", ["bytes=0-262143", ""])
def test_a_piece_of_which_google_kept_less_than_was_sent_is_unavailable(gcs: Gcs, kept: str) -> None:
    gcs.faults[:] = [Fault(r"PUT /upload/.*", 308, times=9, headers={"Range": kept} if kept else {})]
    with storage_at(gcs) as storage:
        caught = _seen(storage, "write large")
    gcs.faults.clear()
    assert type(caught) is Unavailable
    assert "upload_id=" not in "".join(traceback.format_exception(caught))


def test_a_server_that_ignores_the_range_is_refused(gcs: Gcs) -> None:
    with (
        rude_server(answers("200 OK", "0123456789")) as endpoint,
        storage_at(gcs, endpoint=endpoint) as storage,
        pytest.raises(Rejected),
    ):
        list(storage.read("a", start=2, end=4))


def test_closing_a_read_ends_the_transfer(gcs: Gcs) -> None:
    ended = threading.Event()

    def sends_for_ever(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        try:
            while True:
                connection.sendall(bytes(65536))
        except OSError:
            ended.set()

    with rude_server(sends_for_ever) as endpoint, storage_at(gcs, endpoint=endpoint) as storage:
        pieces = storage.read("a")
        next(pieces)
        assert not ended.wait(0.2)
        pieces.close()
        assert ended.wait(5)


def test_a_precondition_that_fails_on_nothing_is_not_found(gcs: Gcs) -> None:
    gcs.faults.append(Fault(r"GET /download/.*", 412, reason="conditionNotMet"))
    with storage_at(gcs) as storage, pytest.raises(NotFound):
        list(storage.read("nothing/here", etag="17"))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("call", "pattern"),
    [
        ("stat", r"GET /storage/.*original.mp4"),
        ("read", r"GET /download/.*"),
        ("write", r"POST /upload/.*"),
        ("write large", r"PUT /upload/.*"),
        ("remove", r"GET /biblio-video-store\?uploads"),
        ("complete", r"POST .*\?uploadId"),
    ],
)
def test_nothing_is_tried_twice_and_what_google_says_of_later_is_kept(
    gcs: Gcs, call: str, pattern: str, status: int
) -> None:
    fault = Fault(pattern, status, times=9, headers={"Retry-After": "7"}, reason="slow")
    gcs.faults[:] = [fault]
    with storage_at(gcs) as storage, pytest.raises(RateLimited if status == 429 else Unavailable) as caught:
        CALLS[call](storage)
    gcs.faults.clear()
    assert fault.times == 8
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 7.0
    assert "upload_id=" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", [DROP, CUT, LOSE])
@pytest.mark.parametrize("pattern", [r"P(OST|UT) /upload/.*", r"PUT /upload/.*", r"POST /token"])
def test_a_write_without_an_answer_is_unavailable_and_may_be_repeated(gcs: Gcs, kind: int, pattern: str) -> None:
    with storage_at(gcs) as storage:
        gcs.faults.append(Fault(pattern, kind, times=9))
        with pytest.raises(Unavailable):
            CALLS["write large"](storage)
        gcs.faults.clear()
        CALLS["write large"](storage)
        assert storage.stat(KEY).size == 9_000_000
        storage.remove("videos/")


def test_half_an_answer_of_a_read_is_unavailable(gcs: Gcs) -> None:
    with storage_at(gcs) as storage:
        storage.write("half", io.BytesIO(bytes(1000)), content_type="a/b")
        gcs.faults.append(Fault(r"GET /download/.*", CUT))
        with pytest.raises(Unavailable):
            list(storage.read("half"))
        assert len(b"".join(storage.read("half"))) == 1000
