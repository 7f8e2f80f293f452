"""Videos that another producer announces in the queue."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from biblio.domain.flow import Status
from biblio.domain.video import Options, Video
from biblio.errors import InvalidInput, NotFound, Unavailable
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.ingestion import Announced, ingest
from biblio.pipeline.sweep import look_at_uploads
from tests.pipeline.road import Road, tone


@pytest.fixture
def announced(road: Road, user: str) -> Iterator[Announced]:
    """A film that the producer has put where it likes."""
    key = f"lectures/{uuid4()}/강의 1.wav"
    road.services.storage.write(key, io.BytesIO(tone()), content_type="audio/wav")
    yield Announced(str(uuid4()), user, road.services.storage.bucket, key, Options("en"))
    road.services.storage.remove(key)


def video(road: Road, announced: Announced) -> Video:
    with road.services.catalog.transaction() as tx:
        return tx.videos.get(announced.video_id)


def refused(road: Road, announced: Announced) -> str:
    with pytest.raises(InvalidInput) as error:
        ingest(road.services, announced)
    return error.value.code


def test_a_film_that_nobody_knew_comes_into_the_library(road: Road, announced: Announced) -> None:
    ingest(road.services, announced)
    found = video(road, announced)
    assert (found.status, found.title, found.key) == (Status.PENDING, "강의 1", announced.key)
    assert (found.file_size, found.options, found.acknowledged) == (len(tone()), Options("en"), True)
    road.walk(found)
    road.finish()
    assert road.now(found).language == "en"
    assert road.drift(found) == []


def test_announced_again_and_again_it_is_one_job(road: Road, announced: Announced) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ingest(road.services, announced), range(16)))
    assert [job[:2] for job in road.jobs(video(road, announced))] == [("extract", "READY")]
    road.walk(video(road, announced))
    ingest(road.services, announced)
    assert video(road, announced).status is Status.COMPLETED
    assert video(road, announced).generation == 1


def test_one_that_the_api_knows_is_set_on_its_road(road: Road, user: str) -> None:
    sent = road.sent(user)
    known = Announced(sent.id, user, road.services.storage.bucket, sent.key, Options())
    for _ in range(2):
        ingest(road.services, known)
    assert road.now(sent).status is Status.PENDING


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bucket": "another"}, "BAD_MESSAGE"),
        ({"user_id": "nobody"}, "UNKNOWN_USER"),
        ({"key": "lectures/nothing.wav"}, "OBJECT_MISSING"),
        ({"key": "lectures/notes.txt"}, "OBJECT_MISSING"),
        ({"options": Options("xx")}, "UNKNOWN_LANGUAGE"),
        ({"options": Options(None, "enormous")}, "UNKNOWN_MODEL"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    road: Road, announced: Announced, changes: dict[str, str], code: str
) -> None:
    assert refused(road, replace(announced, **changes)) == code  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        video(road, announced)


def test_a_file_of_another_kind(road: Road, announced: Announced) -> None:
    key = f"{announced.key}.txt"
    road.services.storage.write(key, io.BytesIO(b"notes"), content_type="text/plain")
    assert refused(road, replace(announced, key=key)) == "UNSUPPORTED_FORMAT"


def test_what_only_looks_like_a_film(road: Road, announced: Announced) -> None:
    road.services.storage.write(announced.key, io.BytesIO(b"no film" * 100), content_type="audio/wav")
    assert refused(road, announced) == "UNREADABLE_MEDIA"
    assert video(road, announced).status is Status.FAILED


def test_another_videos_folder(road: Road, announced: Announced, user: str) -> None:
    other = road.sent(user)
    assert refused(road, replace(announced, key=other.key)) == "BAD_MESSAGE"


@pytest.mark.parametrize("name", ["audio_extracted.mp3", "speech.flac", "generations/1/1/film.wav"])
def test_a_place_where_biblio_itself_writes(road: Road, announced: Announced, name: str) -> None:
    key = f"videos/{announced.video_id}/{name}"
    road.services.storage.write(key, io.BytesIO(tone()), content_type="audio/wav")
    assert refused(road, replace(announced, key=key)) == "BAD_MESSAGE"
    road.services.storage.remove(key)


@pytest.mark.parametrize("limits", [{"most_stored": 100}, {"most_transcribed": 0.0}])
def test_who_may_have_no_more_gets_no_more_by_the_queue(
    road: Road, announced: Announced, limits: dict[str, float]
) -> None:
    assert refused(road.limited(**limits), announced) == "QUOTA_EXCEEDED"
    with pytest.raises(NotFound):
        video(road, announced)


def test_what_a_worker_writes_meanwhile_is_left_alone(road: Road, announced: Announced) -> None:
    """Nothing was ever signed for such a video, so its upload is silent from the start."""
    ingest(road.services, announced)
    storage, sound = road.services.storage, f"videos/{announced.video_id}/speech.flac"
    upload_id = storage.multipart.begin(sound, content_type="audio/flac", checksums=False)
    look_at_uploads(road.services)
    assert list(storage.inventory.uploads(sound)) == [(sound, upload_id)]
    storage.multipart.abort(sound, upload_id)


def test_another_users_video(road: Road, announced: Announced) -> None:
    theirs = road.sent(road.new_user())
    stolen = replace(announced, video_id=theirs.id, key=theirs.key)
    assert refused(road, stolen) == "BAD_MESSAGE"
    assert refused(road, replace(stolen, user_id=theirs.user_id, key=announced.key)) == "BAD_MESSAGE"
    assert road.now(theirs).status is Status.UPLOADING
    road.forget(theirs.user_id)


def test_a_video_that_was_deleted(road: Road, announced: Announced) -> None:
    ingest(road.services, announced)
    request_deletion(road.services, announced.user_id, announced.video_id)
    ingest(road.services, announced)
    road.finish()
    assert refused(road, announced) in ("BAD_MESSAGE", "OBJECT_MISSING")
    with road.services.catalog.transaction() as tx:
        receipt = tx.holdings.receipt(announced.video_id)
    assert receipt is not None
    assert announced.key in receipt.removed["objects"]
    road.services.storage.write(announced.key, io.BytesIO(tone()), content_type="audio/wav")
    assert refused(road, announced) == "BAD_MESSAGE"


def test_deleting_it_leaves_what_lies_beside_it(road: Road, announced: Announced) -> None:
    beside = f"{announced.key}.old"
    road.services.storage.write(beside, io.BytesIO(b"older"), content_type="audio/wav")
    ingest(road.services, announced)
    request_deletion(road.services, announced.user_id, announced.video_id)
    road.finish()
    assert road.services.storage.stat(beside).size == 5
    with pytest.raises(NotFound):
        road.services.storage.stat(announced.key)


def test_while_storage_is_away_it_is_told_to_come_back(road: Road, announced: Announced) -> None:
    class Away:
        bucket = announced.bucket

        def stat(self, _key: str) -> None:
            raise Unavailable("It is away.")

    with pytest.raises(Unavailable):
        ingest(replace(road.services, storage=Away()), announced)  # type: ignore[arg-type]
    ingest(road.services, announced)
    assert video(road, announced).status is Status.PENDING
