"""The calls that steer the work on a video and tell of it: their JSON, literally, and what they refuse."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from biblio.domain.flow import Status
from biblio.ports.usage import SECONDS_TRANSCRIBED, Used
from tests.api.conftest import Api, running_api
from tests.pipeline.road import Road, open_road, tone

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"
STATE = {"video_id", "status", "progress", "step", "error", "updated_at"}


@pytest.fixture(scope="module")
def road(addresses: Mapping[str, str]) -> Iterator[Road]:
    """The workers, by hand."""
    with open_road(addresses) as road:
        yield road


@pytest.fixture(scope="module")
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, SPEECH="scripted://", REQUEST_RATE="10000") as api:
        yield api


@pytest.fixture
def begun(road: Road, api: Api) -> Iterator[str]:
    """On its road."""
    yield road.begun(api.user_id).id
    road.void()


@pytest.fixture
def whole(road: Road, api: Api) -> Iterator[str]:
    """Complete, and nothing left to be done."""
    video = road.at(Status.COMPLETED, api.user_id)
    road.finish()
    yield video.id
    road.void()


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def status(api: Api, video_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = api.http.get(f"/api/videos/{video_id}/status").json()
    return answer


def test_status_tells_where_it_is_and_what_lies_ahead(api: Api, road: Road, begun: str) -> None:
    first = status(api, begun)
    assert set(first) == STATE | {"event_id", "seconds_left", "queue_position", "waiting_for"}
    assert (first["status"], first["progress"], first["step"]) == ("PENDING", 0, None)
    assert (first["seconds_left"], first["queue_position"]) == (None, 1)
    second = road.begun(api.user_id)
    assert status(api, second.id)["queue_position"] == 2
    road.walk(second, Status.INDEXING)
    later = status(api, second.id)
    assert (later["status"], later["progress"]) == ("INDEXING", 95)
    assert 0 <= later["seconds_left"] < 60
    assert later["event_id"] > first["event_id"]
    road.walk(second)
    ended = status(api, second.id)
    assert (ended["progress"], ended["seconds_left"], ended["queue_position"]) == (100, None, None)


def test_cancel(api: Api, begun: str) -> None:
    for _ in range(2):
        answer = api.http.post(f"/api/videos/{begun}/cancel")
        assert (answer.status_code, answer.json()) == (202, {"video_id": begun, "status": "CANCELED"})
    assert status(api, begun)["status"] == "CANCELED"


def test_cancel_an_upload(api: Api) -> None:
    made = api.http.post("/api/videos", json={"file_name": "a.wav", "file_size": len(tone())}).json()
    answer = api.http.post(f"/api/videos/{made['video_id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "CANCELED")
    assert problem(api.http.post(f"/api/videos/{made['video_id']}/upload-complete")) == (409, "UPLOAD_ENDED")
    assert problem(api.http.post(f"/api/videos/{made['video_id']}/reprocess")) == (409, "NOT_UPLOADED")


def test_cancel_what_is_complete(api: Api, whole: str) -> None:
    assert problem(api.http.post(f"/api/videos/{whole}/cancel")) == (409, "NOTHING_TO_CANCEL")
    api.http.post(f"/api/videos/{whole}/reprocess")
    answer = api.http.post(f"/api/videos/{whole}/cancel")
    assert (answer.status_code, answer.json()) == (202, {"video_id": whole, "status": "COMPLETED"})


def test_reprocess(api: Api, whole: str) -> None:
    body = {"step": "transcribe", "options": {"language": "en"}}
    answer = api.http.post(f"/api/videos/{whole}/reprocess", json=body)
    assert answer.status_code == 202
    assert answer.json() == {
        "message": "Processing started",
        "video_id": whole,
        "status": "PENDING",
        "check_status_url": f"/api/videos/{whole}/status",
    }
    assert problem(api.http.post(f"/api/videos/{whole}/reprocess")) == (409, "ALREADY_PROCESSING")
    assert api.http.get(f"/api/videos/{whole}").json()["options"] == {"language": "en"}
    assert api.http.get(f"/api/videos/{whole}/transcript").json()["results"], "until it is done, it is as it was"


def test_reprocess_what_came_not_so_far(api: Api, begun: str) -> None:
    api.http.post(f"/api/videos/{begun}/cancel")
    assert problem(api.http.post(f"/api/videos/{begun}/reprocess", json={"step": "index"})) == (409, "STEP_NOT_REACHED")
    assert api.http.post(f"/api/videos/{begun}/reprocess", json={}).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"step": "delete"}, "INVALID_INPUT"),
        ({"step": "cleanup"}, "INVALID_INPUT"),
        ({"step": 3}, "INVALID_INPUT"),
        ({"steps": "index"}, "INVALID_INPUT"),
        ({"options": {"colour": "red"}}, "INVALID_INPUT"),
        ({"options": {"language": "xx"}}, "UNKNOWN_LANGUAGE"),
        ({"options": {"model": "enormous"}}, "UNKNOWN_MODEL"),
        ({"step": "index", "options": {"language": "en"}}, "INVALID_STEP"),
    ],
)
def test_reprocess_senselessly(api: Api, whole: str, body: dict[str, Any], code: str) -> None:
    assert problem(api.http.post(f"/api/videos/{whole}/reprocess", json=body)) == (422, code)
    assert status(api, whole)["status"] == "COMPLETED"


def test_a_month_that_is_used_up(addresses: Mapping[str, str], road: Road) -> None:
    with running_api(addresses, SPEECH="scripted://", MAX_TRANSCRIBED="60") as poor:
        video = road.at(Status.COMPLETED, poor.user_id)
        road.finish()
        with road.services.catalog.transaction() as tx:
            earlier = road.now(road.sent(poor.user_id))
            tx.usage.add(earlier, Used(SECONDS_TRANSCRIBED, 100.0, "scripted"))
        refused = poor.http.post("/api/videos", json={"file_name": "a.wav", "file_size": 100})
        assert problem(refused) == (402, "QUOTA_EXCEEDED")
        assert refused.json()["limit"] == 60
        assert refused.json()["used"] >= 100
        assert problem(poor.http.post(f"/api/videos/{video.id}/reprocess")) == (402, "QUOTA_EXCEEDED")
        assert poor.http.post(f"/api/videos/{video.id}/reprocess", json={"step": "embed"}).status_code == 202
        road.void()


def test_history(api: Api, whole: str) -> None:
    path = f"/api/videos/{whole}/events"
    events = api.http.get(path).json()["events"]
    for event in events:
        assert set(event) == STATE | {"event_id", "kind", "detail"}
        assert event["video_id"] == whole
        assert re.fullmatch(MOMENT, event["updated_at"])
    assert events[0]["status"] == "UPLOADING"
    assert (events[-1]["status"], events[-1]["progress"]) == ("COMPLETED", 100)
    ids = [event["event_id"] for event in events]
    assert ids == sorted(set(ids))
    begun = [event for event in events if event["kind"] == "begun"]
    assert begun[0]["detail"] == {"step": "extract", "attempt": 1}
    assert api.http.get(path, params={"after": ids[2], "limit": 2}).json()["events"] == events[3:5]
    assert api.http.get(path, params={"after": ids[-1]}).json() == {"events": []}
    for wrong in ({"after": -1}, {"after": 2**63}, {"limit": 0}, {"limit": 1001}, {"after": "x"}):
        assert problem(api.http.get(path, params=wrong)) == (422, "INVALID_INPUT")


def test_receipt(api: Api, road: Road, whole: str) -> None:
    path = f"/api/videos/{whole}/receipt"
    assert problem(api.http.get(path)) == (404, "RECEIPT_NOT_FOUND")
    assert api.http.delete(f"/api/videos/{whole}").status_code == 202
    assert problem(api.http.get(path)) == (404, "RECEIPT_NOT_FOUND")
    road.finish()
    receipt = api.http.get(path).json()
    assert set(receipt) == {"video_id", "deleted_at", "objects", "uploads", "vectors", "rows"}
    assert re.fullmatch(MOMENT, receipt["deleted_at"])
    assert receipt["objects"][f"videos/{whole}/original.wav"] == len(tone())
    assert receipt["uploads"] == {}
    assert receipt["vectors"] == {"1": receipt["rows"]["passages"]}
    assert receipt["rows"]["passages"] > 4
    assert receipt["rows"]["videos"] == receipt["rows"]["blocks"] == 1
    with api.stranger() as other:
        assert problem(other.get(path)) == (404, "RECEIPT_NOT_FOUND")


def test_usage(addresses: Mapping[str, str], road: Road) -> None:
    began = datetime.now(UTC) - timedelta(seconds=5)
    with running_api(addresses, SPEECH="scripted://") as api:
        assert api.http.get("/api/usage").json()["totals"] == {}
        video = road.at(Status.COMPLETED, api.user_id)
        report = api.http.get("/api/usage").json()
        assert set(report) == {"from", "to", "totals", "videos"}
        assert report["totals"]["bytes_stored"] == len(tone())
        assert report["totals"]["tokens_embedded"] > 0
        assert {one["video_id"] for one in report["videos"]} == {video.id}
        for one in report["videos"]:
            assert set(one) == {"video_id", "unit", "amount", "engine"}
        window = {"from": began.isoformat(), "to": datetime.now(UTC).isoformat()}
        assert api.http.get("/api/usage", params=window).json()["totals"] == report["totals"]
        before = {"from": (began - timedelta(days=1)).isoformat(), "to": began.isoformat()}
        assert api.http.get("/api/usage", params=before).json()["totals"] == {}
        assert problem(api.http.get("/api/usage", params={**window, "to": "2000-01-01"})) == (422, "INVALID_PERIOD")
        assert problem(api.http.get("/api/usage", params={"from": "soon"})) == (422, "INVALID_PERIOD")
        with api.stranger() as other:
            assert other.get("/api/usage", params=window).json()["videos"] == []


CALLS = [("POST", "cancel"), ("POST", "reprocess"), ("GET", "events"), ("GET", "status"), ("GET", "receipt")]


@pytest.mark.parametrize(("method", "call"), CALLS)
def test_another_users_video_is_not_there(api: Api, begun: str, method: str, call: str) -> None:
    with api.stranger() as other:
        assert other.request(method, f"/api/videos/{begun}/{call}").status_code == 404
    for nonsense in ("nonsense", "%00", "A" * 500):
        assert api.http.request(method, f"/api/videos/{nonsense}/{call}").status_code == 404
    assert httpx.request(method, f"{api.http.base_url}/api/videos/{begun}/{call}").status_code == 401
    assert status(api, begun)["status"] == "PENDING"
