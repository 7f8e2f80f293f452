"""What a page needs to play a video that went down its whole road: picture, words, addresses."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from biblio.domain import keys
from biblio.domain.flow import Queue
from biblio.local.sample import TALK
from biblio.pipeline.check import check
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import work
from tests.api.conftest import Api, running_api
from tests.contracts.films import make_film


@pytest.fixture(scope="module")
def stage(own_addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(own_addresses, SPEECH="scripted://", REQUEST_RATE="10000") as api:
        api.services.vectors.prepare()
        yield api


@pytest.fixture(scope="module")
def talk(stage: Api) -> str:
    return played(stage, "talk.mp4", TALK.read_bytes())


def played(stage: Api, name: str, content: bytes) -> str:
    """Sent, and walked to the end of its road."""
    begun = stage.http.post("/api/videos", json={"file_name": name, "file_size": len(content)}).json()
    httpx.put(begun["upload"]["url"], content=content, headers=begun["upload"]["headers"]).raise_for_status()
    stage.http.post(f"/api/videos/{begun['video_id']}/upload-complete").raise_for_status()
    while any(work(stage.services, queue, Worker("stage")) for queue in Queue):
        pass
    assert whole(stage, begun["video_id"])["status"] == "COMPLETED"
    return str(begun["video_id"])


def whole(stage: Api, video_id: str) -> Any:
    return stage.http.get(f"/api/videos/{video_id}").json()


def test_a_picture_is_shown_wherever_the_video_is(stage: Api, talk: str) -> None:
    address = f"/api/videos/{talk}/poster?v=1"
    listed = stage.http.get("/api/videos").json()["videos"]
    found = stage.http.get("/api/search", params={"q": "벡터"}).json()["results"]
    similar = stage.http.get(f"/api/videos/{talk}/similar", params={"t": 1}).json()["results"]
    assert whole(stage, talk)["poster_url"] == address
    assert {video["poster_url"] for video in (*listed, *found, *similar) if video["video_id"] == talk} == {address}
    assert found


def test_a_picture_is_kept_for_as_long_as_its_address_lives(stage: Api, talk: str) -> None:
    answer = stage.http.get(f"/api/videos/{talk}/poster?v=1")
    assert answer.status_code == 307
    assert answer.headers["cache-control"] == "private, max-age=3300"
    jpeg = httpx.get(answer.headers["location"])
    assert (jpeg.status_code, jpeg.headers["content-type"]) == (200, "image/jpeg")
    assert jpeg.content[:3] == b"\xff\xd8\xff"
    assert len(jpeg.content) < 100_000
    assert httpx.get(stage.http.get(f"/api/videos/{talk}/media").json()["poster"]["url"]).content == jpeg.content


def test_sound_alone_has_no_picture(stage: Api, tmp_path: Path) -> None:
    video_id = played(stage, "tone.mp3", make_film(tmp_path / "tone.mp3").read_bytes())
    answer = stage.http.get(f"/api/videos/{video_id}/poster")
    assert (answer.status_code, answer.json()["code"]) == (404, "POSTER_NOT_FOUND")
    assert whole(stage, video_id)["poster_url"] is None
    assert stage.http.get(f"/api/videos/{video_id}/media").json()["poster"] is None


def test_a_broken_picture_costs_itself_alone(stage: Api, tmp_path: Path) -> None:
    """An avi whose pictures claim to be of another coding than they are."""
    film = make_film(tmp_path / "film.avi").read_bytes().replace(b"FMP4", b"H264")
    video_id = played(stage, "film.avi", film)
    assert whole(stage, video_id)["poster_url"] is None


def test_a_picture_that_was_lost_is_found_missing_and_taken_again(stage: Api, talk: str) -> None:
    assert list(check(stage.services, mend=False)) == []
    stage.services.storage.remove(keys.poster(talk))
    (drift,) = check(stage.services, mend=True)
    assert (drift.what, drift.where, drift.mended) == ("result is missing", f"object {keys.poster(talk)}", True)
    while any(work(stage.services, queue, Worker("stage")) for queue in Queue):
        pass
    assert list(check(stage.services, mend=False)) == []
    address = whole(stage, talk)["poster_url"]
    assert address == f"/api/videos/{talk}/poster?v=2"
    assert stage.http.get(address, follow_redirects=False).status_code == 307


def test_every_word_has_its_times(stage: Api, talk: str) -> None:
    told = stage.http.get(f"/api/videos/{talk}/transcript", params={"format": "words"}).json()
    plain = stage.http.get(f"/api/videos/{talk}/transcript").json()
    assert set(told) == {"language", "results"}
    assert told["language"] == whole(stage, talk)["language"]
    assert [{name: row[name] for name in row if name != "words"} for row in told["results"]] == plain["results"]
    for row in told["results"]:
        assert " ".join(word for word, _, _ in row["words"]) == row["transcript"]
        times = [time for _, start, end in row["words"] for time in (start, end)]
        assert times == sorted(times)
        assert row["start_time"] <= times[0] <= times[-1] <= row["end_time"]


def test_deleting_removes_the_picture(stage: Api, talk: str) -> None:
    stage.http.delete(f"/api/videos/{talk}").raise_for_status()
    while any(work(stage.services, queue, Worker("stage")) for queue in Queue):
        pass
    receipt = stage.http.get(f"/api/videos/{talk}/receipt").json()
    assert keys.poster(talk) in receipt["objects"]
    assert list(stage.services.storage.inventory.objects(keys.video_prefix(talk))) == []
