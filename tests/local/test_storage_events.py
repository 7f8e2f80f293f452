"""The embedded storage tells of what arrives: its real webhook, and a server that hears it where the API would be."""

import json
import stat
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from biblio.domain.storage_event import arrivals
from biblio.local.folder import DataFolder
from biblio.local.seaweedfs import BUCKET
from biblio.local.stack import LocalStack
from tests.conftest import Server
from tests.local import processes
from tests.local.conftest import NO_ENGINES, make_stack, s3_client

PATH = "/api/storage-events"
ONLY_STORAGE = {name: address for name, address in NO_ENGINES.items() if name != "BIBLIO_STORAGE"}
FOLDER = "videos/550e8400-e29b-41d4-a716-44665544"
QUIET = 0.5  # seconds; an event comes within milliseconds of the answer to its PUT


class Ear(ThreadingHTTPServer):
    """`heard`: path, Authorization, Content-Type and body of every call. An `answer` of None leaves the caller hanging.

    Not started before it is entered, as an API that is not up yet.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, answer: int | None = 200) -> None:
        self.heard: list[tuple[str, str | None, str | None, Any]] = []
        self.answer = answer
        super().__init__(("127.0.0.1", port), Call)

    def __enter__(self) -> "Ear":
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def arrived(self) -> list[str]:
        return [key for *_, body in self.heard for key in arrivals(body, BUCKET)]


class Call(BaseHTTPRequestHandler):
    server: Ear

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, self.headers["Authorization"], self.headers["Content-Type"], body))
        if self.server.answer is None:
            time.sleep(60)
        else:
            self.send_response(self.server.answer)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what went wrong."""


@pytest.fixture(scope="module")
def telling(folder: DataFolder) -> Iterator[LocalStack]:
    with make_stack(folder, given=ONLY_STORAGE, arrivals=PATH) as running:
        s3_client(running.addresses["BIBLIO_STORAGE"]).create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture(scope="module")
def storage(telling: LocalStack) -> Any:
    return s3_client(telling.addresses["BIBLIO_STORAGE"])


@pytest.fixture
def ear(telling: LocalStack) -> Iterator[Ear]:
    with Ear(telling.api_port) as ear:
        yield ear


def put(storage: Any, key: str, body: bytes = b"video") -> None:
    """As a browser does it."""
    signed = {"Bucket": BUCKET, "Key": key, "ContentType": "video/mp4", "ContentLength": len(body), "IfNoneMatch": "*"}
    url = storage.generate_presigned_url("put_object", Params=signed, ExpiresIn=60)
    headers = {"Content-Type": "video/mp4", "If-None-Match": "*"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT")) as answer:
        assert answer.status == 200


def test_a_presigned_put_is_told_once_with_the_secret(telling: LocalStack, storage: Any, ear: Ear) -> None:
    put(storage, f"{FOLDER}0000/original.mp4")
    processes.eventually(ear.arrived, seconds=5)
    time.sleep(QUIET)
    assert ear.arrived() == [f"{FOLDER}0000/original.mp4"]
    authorization = f"Bearer {telling.addresses['BIBLIO_EVENT_SECRET']}"
    assert {call[:3] for call in ear.heard} == {(PATH, authorization, "application/json")}


def test_a_multipart_upload_is_told_when_it_is_complete(storage: Any, ear: Ear) -> None:
    place = {"Bucket": BUCKET, "Key": f"{FOLDER}0001/original.mkv"}
    upload = storage.create_multipart_upload(**place)["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": storage.upload_part(**place, UploadId=upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in enumerate((b"a" * 5 * 1024 * 1024, b"b"), 1)
    ]
    time.sleep(QUIET)
    assert ear.heard == []
    storage.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    processes.eventually(ear.arrived, seconds=5)
    time.sleep(QUIET)
    assert ear.arrived() == [place["Key"]]


def test_nothing_else_is_told(storage: Any, ear: Ear) -> None:
    put(storage, f"{FOLDER}0002/original.mp4")
    processes.eventually(ear.arrived, seconds=5)
    time.sleep(QUIET)
    ear.heard.clear()
    storage.put_object(Bucket=BUCKET, Key="elsewhere", Body=b"x")
    storage.delete_object(Bucket=BUCKET, Key=f"{FOLDER}0002/original.mp4")
    time.sleep(QUIET)
    assert ear.heard == []


@pytest.mark.parametrize("ending", ["absent", "failing", "hanging"])
def test_no_write_waits_for_an_api_that_does_not_answer(telling: LocalStack, storage: Any, ending: str) -> None:
    began = time.monotonic()
    if ending == "absent":
        _put_many(storage, ending)
    else:
        with Ear(telling.api_port, 500 if ending == "failing" else None):
            _put_many(storage, ending)
    assert time.monotonic() - began < 10


def _put_many(storage: Any, word: str) -> None:
    for number in range(100):
        put(storage, f"videos/{word}/{number}")


def test_what_arrives_after_the_api_came_back_is_told(telling: LocalStack, storage: Any) -> None:
    put(storage, f"{FOLDER}0003/original.mp4")
    with Ear(telling.api_port) as ear:
        put(storage, f"{FOLDER}0004/original.mp4")
        processes.eventually(lambda: f"{FOLDER}0004/original.mp4" in ear.arrived())


def test_its_secret_stays_in_the_folder(telling: LocalStack, folder: DataFolder) -> None:
    secret = telling.addresses["BIBLIO_EVENT_SECRET"]
    assert len(secret) == 43
    shown = [" ".join(process.cmdline()) for process in processes.of(folder)]
    assert any("weed" in line for line in shown)
    shown += [log.read_text() for log in folder.logs.iterdir()]
    assert not [line for line in shown if secret in line]
    settings = folder.seaweedfs / "notification.toml"
    assert secret in settings.read_text()
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


def test_without_an_api_nobody_is_told(data: DataFolder) -> None:
    with make_stack(data, given=ONLY_STORAGE, arrivals=PATH):
        pass
    with make_stack(data, given=ONLY_STORAGE) as stack, Ear(stack.api_port) as ear:
        assert "BIBLIO_EVENT_SECRET" not in stack.addresses
        storage = s3_client(stack.addresses["BIBLIO_STORAGE"])
        storage.create_bucket(Bucket=BUCKET)
        put(storage, f"{FOLDER}0000/original.mp4")
        time.sleep(QUIET)
        assert ear.heard == []


def test_a_whole_library_starts_what_arrived_though_no_client_calls(server: Server) -> None:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}) as http:
        first = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"  # begins like a video, and that is all it has
        video = http.post("/api/videos", json={"file_name": "강의.mp4", "file_size": len(first)}).json()
        upload = video["upload"]
        assert httpx.put(upload["url"], content=first, headers=upload["headers"]).status_code == 200
        place = f"/api/videos/{video['video_id']}"
        processes.eventually(lambda: http.get(place).json()["status"] != "UPLOADING", seconds=10)
        http.delete(place)
