"""Every kind of drift, made by hand: it is found, mended, and then gone."""

import io
from collections.abc import Callable, Iterator, Mapping
from uuid import uuid4

import pytest

from biblio.domain.flow import Queue, Status, Step
from biblio.domain.passages import Passage
from biblio.domain.video import Video
from biblio.pipeline.cancel import cancel
from biblio.pipeline.check import check
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.drift import Drift
from biblio.pipeline.reprocess import reprocess
from biblio.ports.passages import IndexedPassage
from biblio.ports.vectors import Owner, VectorRecord
from tests.pipeline.road import Road, open_road

Spoil = Callable[[Road, Video], str]
"""What is wrong then, and with what."""


@pytest.fixture(scope="module")
def road(own_addresses: Mapping[str, str]) -> Iterator[Road]:
    """Where no other test has left drift."""
    with open_road(own_addresses) as road:
        yield road


@pytest.fixture
def whole(road: Road, user: str) -> Video:
    """Complete, and nothing left to be done."""
    video = road.at(Status.COMPLETED, user)
    road.finish()
    assert list(check(road.services)) == []
    return road.now(video)


def vector(road: Road) -> list[VectorRecord]:
    values = [1.0] + [0.0] * (road.services.embedder.dimension - 1)
    return [VectorRecord(str(uuid4()), values, 0.0, 1.0, "nobody said this")]


def a_vector_too_few(road: Road, video: Video) -> str:
    with road.sql() as connection:
        one = "SELECT id FROM vectors WHERE video_id = %s LIMIT 1"
        connection.execute(f"DELETE FROM vectors WHERE id = ({one})".encode(), (video.id,))
    return f"rows and vectors differ: video {video.id}"


def a_vector_too_many(road: Road, video: Video) -> str:
    road.services.vectors.upsert(Owner(video.user_id, video.id, 1), vector(road))
    return f"rows and vectors differ: video {video.id}"


def no_vectors(road: Road, video: Video) -> str:
    road.services.vectors.remove(video.user_id, video.id)
    return f"rows and vectors differ: video {video.id}"


def a_row_too_few(road: Road, video: Video) -> str:
    with road.sql() as connection:
        connection.execute("DELETE FROM passages WHERE video_id = %s AND position = 0", (video.id,))
    return f"rows and vectors differ: video {video.id}"


def neither_rows_nor_vectors(road: Road, video: Video) -> str:
    with road.services.catalog.transaction() as tx:
        tx.passages.remove(video.id, generation=1)
    return no_vectors(road, video)


def vectors_of_a_video_that_is_not_there(road: Road, video: Video) -> str:
    other = str(uuid4())
    road.services.vectors.upsert(Owner(video.user_id, other, 3), vector(road))
    return f"belongs to no video: generation 3 of video {other}"


def vectors_of_another_user(road: Road, video: Video) -> str:
    road.services.vectors.upsert(Owner("somebody else", video.id, 1), vector(road))
    return f"belongs to no video: generation 1 of video {video.id}"


def vectors_of_an_old_generation(road: Road, video: Video) -> str:
    road.services.vectors.upsert(Owner(video.user_id, video.id, 0), vector(road))
    return f"nobody reads it: generation 0 of video {video.id}"


def rows_of_an_old_generation(road: Road, video: Video) -> str:
    with road.services.catalog.transaction() as tx:
        with road.sql() as connection:
            connection.execute("UPDATE videos SET generation = 2 WHERE id = %s", (video.id,))
        late = tx.videos.get(video.id)
        tx.passages.write(late, [IndexedPassage(str(uuid4()), Passage(0, 0.0, 1.0, "nobody said this"))])
    return f"nobody reads it: generation 2 of video {video.id}"


def an_object_of_no_video(road: Road, video: Video) -> str:
    key = f"videos/{uuid4()}/audio_extracted.mp3"
    road.services.storage.write(key, io.BytesIO(b"sound"), content_type="audio/mpeg")
    return f"belongs to no video: object {key}"


def an_object_of_an_upload_that_was_ended(road: Road, video: Video) -> str:
    ended = road.sent(video.user_id)
    cancel(road.services, video.user_id, ended.id)
    road.services.storage.write(ended.key, io.BytesIO(b"film"), content_type="audio/wav")
    return f"belongs to no video: object {ended.key}"


def an_original_of_a_video_that_was_deleted(road: Road, video: Video) -> str:
    other = road.at(Status.COMPLETED, video.user_id)
    request_deletion(road.services, other.user_id, other.id)
    road.finish()
    road.services.storage.write(other.key, io.BytesIO(b"film"), content_type="audio/wav")
    return f"belongs to no video: object {other.key}"


def an_upload_of_no_video(road: Road, video: Video) -> str:
    key = f"videos/{uuid4()}/speech.flac"
    road.services.storage.multipart.begin(key, content_type="audio/flac", checksums=False)
    return f"belongs to no video: upload {key}"


def what_a_worker_that_died_was_writing(road: Road, video: Video) -> str:
    key = f"videos/{video.id}/speech.flac"
    road.services.storage.multipart.begin(key, content_type="audio/flac", checksums=False)
    return f"nobody reads it: upload {key}"


def an_artefact_of_an_attempt_that_came_to_nothing(road: Road, video: Video) -> str:
    key = f"videos/{video.id}/generations/1/7/vectors.json"
    road.services.storage.write(key, io.BytesIO(b"{}"), content_type="application/json")
    return f"nobody reads it: object {key}"


def no_transcript_in_storage(road: Road, video: Video) -> str:
    key = next(key for key in road.objects(video) if key.endswith("transcript.json"))
    road.services.storage.remove(key)
    return f"result is missing: object {key}"


def no_sound_in_storage(road: Road, video: Video) -> str:
    key = f"videos/{video.id}/audio_extracted.mp3"
    road.services.storage.remove(key)
    return f"result is missing: object {key}"


def without_job(road: Road, video: Video) -> str:
    with road.sql() as connection:
        connection.execute("DELETE FROM jobs WHERE video_id = %s AND state = 'READY'", (video.id,))
    return f"stands still: video {video.id}"


def a_first_job_that_is_gone(road: Road, video: Video) -> str:
    return without_job(road, road.begun(video.user_id))


def a_job_on_the_road_that_is_gone(road: Road, video: Video) -> str:
    return without_job(road, road.at(Status.EMBEDDING, video.user_id))


def the_job_of_a_reprocess_that_is_gone(road: Road, video: Video) -> str:
    reprocess(road.services, video.user_id, video.id, step=Step.INDEX)
    return without_job(road, video)


def the_job_of_a_deletion_that_is_gone(road: Road, video: Video) -> str:
    request_deletion(road.services, video.user_id, video.id)
    return without_job(road, video)


def an_upload_that_nobody_looks_at(road: Road, video: Video) -> str:
    sent = road.sent(video.user_id)
    with road.sql() as connection:
        connection.execute("DELETE FROM uploads WHERE video_id = %s", (sent.id,))
    return f"stands still: video {sent.id}"


@pytest.mark.parametrize(
    "spoil",
    [
        a_vector_too_few,
        a_vector_too_many,
        no_vectors,
        a_row_too_few,
        neither_rows_nor_vectors,
        vectors_of_a_video_that_is_not_there,
        vectors_of_another_user,
        vectors_of_an_old_generation,
        rows_of_an_old_generation,
        an_object_of_no_video,
        an_object_of_an_upload_that_was_ended,
        an_original_of_a_video_that_was_deleted,
        an_upload_of_no_video,
        what_a_worker_that_died_was_writing,
        an_artefact_of_an_attempt_that_came_to_nothing,
        no_transcript_in_storage,
        no_sound_in_storage,
        a_first_job_that_is_gone,
        a_job_on_the_road_that_is_gone,
        the_job_of_a_reprocess_that_is_gone,
        the_job_of_a_deletion_that_is_gone,
        an_upload_that_nobody_looks_at,
    ],
)
def test_it_is_found_and_mended(road: Road, whole: Video, spoil: Spoil) -> None:
    wrong = spoil(road, whole)
    assert told(check(road.services)) == [wrong]
    mended = list(check(road.services, mend=True))
    assert (told(mended), [one.mended for one in mended]) == ([wrong], [True])
    road.finish()
    assert list(check(road.services)) == []


def told(found: object) -> list[str]:
    assert hasattr(found, "__iter__")
    return [f"{one.what}: {one.where}" for one in found if isinstance(one, Drift)]


def test_an_original_that_is_gone_or_was_replaced_is_told_and_nothing_is_removed(road: Road, whole: Video) -> None:
    road.services.storage.write(whole.key, io.BytesIO(b"other"), content_type="audio/wav")
    assert list(check(road.services, mend=True)) == [Drift("original was replaced", f"object {whole.key}")]
    road.services.storage.remove(whole.key)
    assert list(check(road.services, mend=True)) == [Drift("original is missing", f"object {whole.key}")]
    assert road.generations(whole) == ({1}, {1})
    request_deletion(road.services, whole.user_id, whole.id)
    road.finish()


def test_a_film_that_the_catalog_does_not_know_is_told_and_left(road: Road, whole: Video) -> None:
    """As after a catalog was restored from yesterday's backup: nobody asked for its end."""
    sent, coming = (f"videos/{uuid4()}/original.mp4" for _ in range(2))
    storage = road.services.storage
    storage.write(sent, io.BytesIO(b"film"), content_type="video/mp4")
    upload_id = storage.multipart.begin(coming, content_type="video/mp4", checksums=False)
    expected = [Drift("belongs to no video", f"object {sent}"), Drift("belongs to no video", f"upload {coming}")]
    for _ in range(2):
        assert list(check(road.services, mend=True)) == expected
    storage.remove(sent)
    storage.multipart.abort(coming, upload_id)


def test_after_another_embedder_has_come_it_embeds_anew(road: Road, whole: Video) -> None:
    """Its vectors are of another space, and those in storage are of no use."""
    with road.services.catalog.transaction() as tx:
        tx.videos.update(whole.id, meta_info={**whole.meta_info, "embedder": "another"})
    no_vectors(road, whole)
    list(check(road.services, mend=True))
    road.finish()
    assert [event.detail["step"] for event in road.events(whole) if event.kind == "begun"][-2:] == ["embed", "index"]
    assert list(check(road.services)) == []


@pytest.mark.parametrize("status", [Status.PENDING, Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING])
def test_work_that_is_under_way_is_no_drift(road: Road, whole: Video, status: Status) -> None:
    video = road.at(status, whole.user_id)
    assert list(check(road.services)) == []
    with road.services.catalog.transaction() as tx:
        for queue in Queue:
            tx.jobs.claim(queue, "somebody", seconds=60)
    assert list(check(road.services)) == []
    road.finish()
    assert road.now(video).status is Status.COMPLETED


def test_many_pages_of_videos(road: Road, whole: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biblio.pipeline.check.PAGE", 1)
    others = [road.at(Status.COMPLETED, whole.user_id) for _ in range(2)]
    road.finish()
    wrong = sorted(no_vectors(road, video) for video in (*others, whole))
    assert sorted(told(check(road.services))) == wrong
