"""What one user may do, and requests that come twice."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from uuid import uuid4

import httpx
import pytest

from biblio.dsn import Dsn
from tests.api.conftest import MIB, Api, running_api
from tests.api.sending import FILE, begin, complete, create, send


def test_bytes_stored(addresses: Mapping[str, str]) -> None:
    with running_api(addresses, MAX_STORED=str(100 * MIB)) as api:
        first = begin(api.http, bytes(60 * MIB))
        answer = create(api.http, bytes(50 * MIB))
        assert (answer.status_code, answer.json()["code"]) == (413, "QUOTA_EXCEEDED")
        assert (answer.json()["limit"], answer.json()["used"]) == (100 * MIB, 60 * MIB)
        api.http.delete(f"/api/videos/{first}/upload")
        begin(api.http, bytes(50 * MIB))
        with api.stranger() as other:
            begin(other, bytes(60 * MIB))


def test_uploads_open_at_once(addresses: Mapping[str, str]) -> None:
    with running_api(addresses, MAX_UPLOADS="3", UPLOAD_LIFETIME="1000") as api:
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: create(api.http), range(10)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 7
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert (refused.json()["code"], refused.json()["limit"], refused.json()["open"]) == ("TOO_MANY_UPLOADS", 3, 3)
        assert 900 < int(refused.headers["Retry-After"]) <= 1000
        taken = next(answer.json()["video_id"] for answer in answers if answer.status_code == 201)
        api.http.delete(f"/api/videos/{taken}/upload")
        begin(api.http)


def test_requests_a_second(addresses: Mapping[str, str]) -> None:
    with running_api(addresses, REQUEST_RATE="4") as api:
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: api.http.get("/api/videos"), range(60)))
        refused = [answer for answer in answers if answer.status_code == 429]
        gained = 4 * (time.monotonic() - began)
        assert 20 <= len(answers) - len(refused) <= 21 + gained, "five seconds' worth, and what was gained"
        assert (refused[0].json()["code"], refused[0].json()["limit"]) == ("RATE_LIMITED", 4)
        assert refused[0].headers["Retry-After"] == "1"
        with api.stranger() as other:
            assert other.get("/api/videos").status_code == 200


def test_without_its_limiter_the_api_goes_on(addresses: Mapping[str, str]) -> None:
    nobody = replace(Dsn.parse(addresses["BIBLIO_LIMITER"]), port=1)
    with running_api({**addresses, "BIBLIO_LIMITER": nobody.text()}, REQUEST_RATE="1") as api:
        assert [api.http.get("/api/videos").status_code for _ in range(20)] == [200] * 20


def test_the_same_key_gets_the_same_answer(api: Api) -> None:
    key = f"key {uuid4()}"
    first = create(api.http, key=key)
    again = create(api.http, key=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other = create(api.http, key=key, title="another request")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    with api.stranger() as stranger:
        assert create(stranger, key=key).json()["video_id"] != first.json()["video_id"]
    assert create(api.http).json()["video_id"] != first.json()["video_id"]


def test_the_same_key_sixteen_times_at_once_makes_one_video(api: Api) -> None:
    for _ in range(5):
        twin = partial(create, api.http, key=str(uuid4()), fingerprint=uuid4().hex)
        with ThreadPoolExecutor(16) as pool:
            answers = [one.result() for one in [pool.submit(twin) for _ in range(16)]]
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        fingerprint = twin.keywords["fingerprint"]
        found = api.http.get("/api/videos", params={"status": "UPLOADING", "fingerprint": fingerprint}).json()
        assert len(found["videos"]) == 1


def test_a_completion_with_a_key_is_answered_as_before(api: Api) -> None:
    video_id, key = begin(api.http), str(uuid4())
    assert complete(api.http, video_id, key).json()["code"] == "PARTS_MISSING"
    send(api.http, video_id, [1, 2, 3])
    first = complete(api.http, video_id, key)
    assert first.status_code == 202, "a refusal is not kept"
    api.http.delete(f"/api/videos/{video_id}")
    again = complete(api.http, video_id, key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert complete(api.http, begin(api.http), key).json()["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("key", [b"x" * 256, b"", "café".encode()])
def test_a_senseless_key(api: Api, key: bytes) -> None:
    headers = [(b"Idempotency-Key", key), (b"Authorization", api.http.headers["Authorization"].encode())]
    body = {"file_name": "a.mp4", "file_size": len(FILE)}
    answer = httpx.post(api.http.base_url.join("/api/videos"), json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_IDEMPOTENCY_KEY")


NAMES = [
    "강의 1 – 트랜잭션.mp4",
    "../../etc/passwd.mp4",
    "C:\\videos\\a b.mp4",
    "🎓" * 62 + "é.mp4",
    "강" * 83 + "12.mp4",
    "\u202egnp.4pm.mp4",
    'quote " and % and & <script>alert(1)</script>.mp4',
    "line\nbreak.MP4",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_is_kept_for_people_and_is_no_key(api: Api, name: str) -> None:
    created = api.http.post("/api/videos", json={"file_name": name, "file_size": 100}).json()
    video = api.http.get(f"/api/videos/{created['video_id']}").json()
    assert video["file_name"] == name
    path = created["upload"]["url"].partition("?")[0]
    assert path.endswith(f"/videos/{created['video_id']}/original.mp4")
