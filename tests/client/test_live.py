"""The client on the real API: events that go on by themselves, waiting on a socket, calls that steer the work."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from threading import Thread
from typing import Any

import pytest

from biblio.client import Client
from biblio.client.models import Status as Told
from biblio.domain.flow import Status, Step
from biblio.domain.video import Failure
from biblio.errors import Conflict, InvalidInput, NotFound, Unauthenticated, Unavailable
from biblio.pipeline.upload import NewVideo, begin_upload
from biblio.ports.usage import BYTES_STORED, Used
from tests.api.conftest import Api, log_of, running_api
from tests.chaos.fault_proxy import FaultProxy, Link


@pytest.fixture(scope="module")
def real(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="10000") as api:
        yield api


@pytest.fixture
def proxy(real: Api) -> Iterator[FaultProxy]:
    with FaultProxy(str(real.http.base_url).rstrip("/")) as proxy:
        yield proxy


@pytest.fixture
def person(real: Api, proxy: FaultProxy) -> Iterator[Client]:
    with Client(proxy.url, real.http.headers["Authorization"].removeprefix("Bearer ")) as client:
        yield client


@pytest.fixture
def video_id(real: Api) -> str:
    with real.services.catalog.transaction() as tx:
        video, _ = begin_upload(real.services, tx, real.user_id, NewVideo("강의.mp4", 9))
    return video.id


def test_events_go_on_where_the_line_broke(real: Api, proxy: FaultProxy, person: Client, video_id: str) -> None:
    begin = len(log_of(real.services, real.user_id))
    events = person.events(begin)
    for progress in range(1, 40):
        change(real, video_id, progress=progress)
        if progress % 5 == 0:
            proxy.cut(Link.reset if progress % 2 else Link.close)
        if progress % 10 == 0:
            next(events)
    heard = log_of(real.services, real.user_id)[begin + 3 :]
    assert list(islice(events, len(heard))) == heard


def test_events_from_now_on_miss_nothing_after_a_break(
    real: Api, proxy: FaultProxy, person: Client, video_id: str
) -> None:
    """Not even where none had come before it."""
    begin = len(log_of(real.services, real.user_id))
    heard: list[Any] = []
    thread = Thread(target=lambda: heard.append(next(person.events())))
    thread.start()
    wait_until(lambda: proxy.open > 0 and proxy.down > 0)
    time.sleep(0.2)
    proxy.hold(0.5)  # so that what happens now is not told before the line breaks
    change(real, video_id, progress=5)
    proxy.cut(Link.reset)
    thread.join(20)
    assert heard == log_of(real.services, real.user_id)[begin:]


def test_nobody_waits_for_ever_for_a_server_that_is_gone(proxy: FaultProxy, person: Client, video_id: str) -> None:
    events = person.events(0, patience=0.5)
    next(events)
    proxy.refuse(60)
    proxy.cut(Link.reset)
    with pytest.raises(Unavailable):
        list(islice(events, 1000))


def test_what_is_refused_is_told(real: Api, person: Client, proxy: FaultProxy) -> None:
    with pytest.raises(InvalidInput) as caught:
        next(person.events(2**60))
    assert caught.value.code == "UNKNOWN_EVENT"
    with Client(proxy.url, "nobody") as stranger, pytest.raises(Unauthenticated):
        next(stranger.events())
    with Client("http://127.0.0.1:9", "nobody") as lost, pytest.raises(Unavailable, match="biblio up"):
        next(lost.events())


def test_waiting_listens(real: Api, proxy: FaultProxy, person: Client, video_id: str) -> None:
    """And asks nothing, but for when the line breaks."""
    change(real, video_id, status=Status.TRANSCRIBING, step=Step.TRANSCRIBE, progress=10)
    heard: list[Told] = []
    ends: list[Told] = []
    thread = Thread(target=lambda: ends.append(person.wait(video_id, heard.append)))
    thread.start()
    wait_until(lambda: len(heard) == 1)
    change(real, video_id, progress=20)
    wait_until(lambda: len(heard) == 2)
    proxy.cut(Link.reset)
    change(real, video_id, status=Status.FAILED, failure=Failure(Step.TRANSCRIBE, "CODE", "문장."))
    thread.join(20)
    assert [told["progress"] for told in heard][:2] == [10, 20]
    assert ends[0]["status"] == heard[-1]["status"] == "FAILED"
    assert ends[0]["error"] == {"step": "transcribe", "code": "CODE", "message": "문장."}


def test_waiting_for_what_is_deleted_ends(real: Api, person: Client, video_id: str) -> None:
    heard: list[Told] = []
    ends: list[str] = []

    def listen() -> None:
        try:
            person.wait(video_id, heard.append)
        except NotFound as error:
            ends.append(error.code)

    thread = Thread(target=listen)
    thread.start()
    wait_until(lambda: len(heard) == 1)
    person.delete(video_id)
    thread.join(20)
    assert (heard[-1]["status"], ends) == ("DELETING", ["VIDEO_NOT_FOUND"])


def test_steering(real: Api, person: Client, video_id: str) -> None:
    with pytest.raises(Conflict) as caught:
        person.reprocess(video_id)
    assert caught.value.code == "NOT_UPLOADED"
    assert person.cancel(video_id) == {"video_id": video_id, "status": "CANCELED"}
    change(real, video_id, etag="etag", status=Status.FAILED, failure=Failure(Step.EXTRACT, "CODE", "문장."))
    assert person.reprocess(video_id, step="extract", language="ko", model="fast")["status"] == "PENDING"
    assert person.video(video_id)["options"] == {"language": "ko", "model": "fast"}
    assert person.status(video_id)["queue_position"] is not None
    assert person.history(video_id) == log_of(real.services, real.user_id, video_id=video_id)
    with pytest.raises(InvalidInput):
        person.reprocess(video_id, step="sing")
    with pytest.raises(NotFound) as missing:
        person.receipt(video_id)
    assert missing.value.code == "RECEIPT_NOT_FOUND"


def test_usage(real: Api, person: Client, video_id: str) -> None:
    with real.services.catalog.transaction() as tx:
        tx.usage.add(tx.videos.get(video_id), Used(BYTES_STORED, 9.0, "s3"))
    report = person.usage()
    assert report["totals"]["bytes_stored"] == 9.0
    assert report["videos"] == [{"video_id": video_id, "unit": "bytes_stored", "amount": 9.0, "engine": "s3"}]


def change(real: Api, video_id: str, **changes: Any) -> None:
    with real.services.catalog.transaction() as tx:
        tx.videos.update(video_id, **changes)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
