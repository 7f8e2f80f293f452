"""Events of a storage that cannot send the secret as a bearer token."""

import httpx

from tests.api.conftest import SECRET, Api

VIDEO = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"  # begins like a video, and that is all it has


def test_what_pubsub_pushes_starts_what_arrived_with_the_secret_in_its_address(api: Api) -> None:
    video = api.http.post("/api/videos", json={"file_name": "talk.mp4", "file_size": len(VIDEO)}).json()
    upload = video["upload"]
    assert httpx.put(upload["url"], content=VIDEO, headers=upload["headers"]).status_code == 200
    key = f"videos/{video['video_id']}/original.mp4"
    about = {"eventType": "OBJECT_FINALIZE", "bucketId": api.services.storage.bucket, "objectId": key}
    event = {"subscription": "projects/lectures/subscriptions/biblio", "message": {"attributes": about}}
    url = f"{api.http.base_url}/api/storage-events"
    for wrong in ("", "?token=", "?token=another", "?secret=" + SECRET):
        refused = httpx.post(f"{url}{wrong}", json=event)
        assert (refused.status_code, refused.json()["code"]) == (401, "KEY_UNKNOWN")
        assert SECRET not in refused.text
    # A bearer token of its own counts alone.
    own = {"Authorization": "Bearer eyJ-of-google"}
    assert httpx.post(f"{url}?token={SECRET}", json=event, headers=own).status_code == 401
    for started in (1, 0):
        answer = httpx.post(f"{url}?token={SECRET}", json=event)
        assert (answer.status_code, answer.json()) == (200, {"started": started, "ignored": 1 - started})
    assert api.http.get(f"/api/videos/{video['video_id']}/status").json()["status"] == "PENDING"
