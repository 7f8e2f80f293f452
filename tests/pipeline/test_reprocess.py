"""Put a video on the road again."""

from collections.abc import Sequence

import pytest

from biblio.domain.flow import Status, Step
from biblio.domain.video import Options, Video
from biblio.errors import Conflict, InvalidInput, NotFound, QuotaExceeded
from biblio.pipeline.cancel import cancel
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.search import search
from tests.pipeline.road import SECONDS, Road

EXTRACT, TRANSCRIBE, EMBED, INDEX = Step.EXTRACT, Step.TRANSCRIBE, Step.EMBED, Step.INDEX


def begun_steps(road: Road, video: Video, generation_event: int) -> list[str]:
    """Steps that were worked on after an event."""
    later = [event for event in road.events(video) if event.id > generation_event]
    return [event.detail["step"] for event in later if event.kind == "begun"]


def last_event(road: Road, video: Video) -> int:
    return road.events(video)[-1].id


def fail(road: Road, video: Video, step: Step) -> None:
    """As if the step it stands at had failed."""
    with road.sql() as connection:
        connection.execute("UPDATE jobs SET state = 'FAILED' WHERE video_id = %s AND step = %s", (video.id, step))
    with road.services.catalog.transaction() as tx:
        tx.videos.update(video.id, status=Status.FAILED, step=step)


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        (Status.PENDING, [EXTRACT, TRANSCRIBE, EMBED, INDEX]),
        (Status.TRANSCRIBING, [TRANSCRIBE, EMBED, INDEX]),
        (Status.EMBEDDING, [EMBED, INDEX]),
        (Status.INDEXING, [INDEX]),
    ],
)
@pytest.mark.parametrize("ending", ["failed", "canceled"])
def test_after_a_run_that_came_to_nothing_it_goes_on_there(
    road: Road, user: str, status: Status, steps: Sequence[Step], ending: str
) -> None:
    video = road.at(status, user)
    if ending == "failed":
        fail(road, video, steps[0])
    else:
        cancel(road.services, user, video.id)
    road.finish()
    mark = last_event(road, video)
    again = reprocess(road.services, user, video.id)
    assert (again.status, again.failure) == (Status.PENDING, None)
    road.walk(video)
    assert begun_steps(road, video, mark) == steps
    road.finish()
    assert road.drift(video) == []


def test_a_complete_one_begins_at_the_first_step(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    mark = last_event(road, video)
    reprocess(road.services, user, video.id)
    road.walk(video)
    assert begun_steps(road, video, mark) == [EXTRACT, TRANSCRIBE, EMBED, INDEX]
    road.finish()
    assert road.generations(video) == ({2}, {2})


@pytest.mark.parametrize("step", [EXTRACT, TRANSCRIBE, EMBED, INDEX])
def test_from_a_chosen_step(road: Road, user: str, step: Step) -> None:
    video = road.at(Status.COMPLETED, user)
    road.finish()
    artefacts = len(road.objects(video))
    mark = last_event(road, video)
    road.walk(reprocess(road.services, user, video.id, step=step))
    road.finish()
    steps = [EXTRACT, TRANSCRIBE, EMBED, INDEX]
    assert begun_steps(road, video, mark) == steps[steps.index(step) :]
    assert road.generations(video) == ({2}, {2})
    assert len(road.objects(video)) <= artefacts, "of what lies in storage, as much as before"
    assert road.drift(video) == []


def test_with_another_language_it_is_heard_again_and_found_as_it_was_until_then(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    mark = last_event(road, video)
    reprocess(road.services, user, video.id, options=Options("en"))
    for status in (Status.EMBEDDING, Status.INDEXING):
        road.walk(video, status)
        assert "벡터" in search(road.services, user, "벡터").found[0].moments[0].text
    road.walk(video)
    assert begun_steps(road, video, mark) == [TRANSCRIBE, EMBED, INDEX]
    found = search(road.services, user, "vector search").found[0]
    assert all("벡터" not in moment.text for moment in found.moments)
    assert road.now(video).language == "en"
    assert road.now(video).options == Options("en")


def test_again_and_again_the_results_of_earlier_runs_are_enough(road: Road, user: str) -> None:
    """What a run takes over from one before it, the next may take over from it."""
    video = road.at(Status.INDEXING, user)
    for _ in range(3):
        cancel(road.services, user, video.id)
        road.finish()
        reprocess(road.services, user, video.id, step=INDEX)
    road.walk(video)
    road.finish()
    assert road.generations(video) == ({7}, {7})


def test_a_canceled_run_does_not_hide_what_an_earlier_one_reached(road: Road, user: str) -> None:
    """It was begun anew from the start, and canceled there; the index's own results are still there."""
    video = road.at(Status.COMPLETED, user)
    reprocess(road.services, user, video.id, step=EXTRACT)
    cancel(road.services, user, video.id)
    road.finish()
    road.walk(reprocess(road.services, user, video.id, step=INDEX))


@pytest.mark.parametrize("status", [Status.PENDING, Status.TRANSCRIBING, Status.EMBEDDING, Status.INDEXING])
def test_on_the_road_it_is_refused(road: Road, user: str, status: Status) -> None:
    video = road.at(status, user)
    with pytest.raises(Conflict) as refused:
        reprocess(road.services, user, video.id)
    assert refused.value.code == "ALREADY_PROCESSING"
    assert road.now(video) == video


def test_what_never_arrived_is_refused(road: Road, user: str) -> None:
    video = road.sent(user)
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            reprocess(road.services, user, video.id)
        assert refused.value.code == "NOT_UPLOADED"
        cancel(road.services, user, video.id)


def test_a_step_that_was_not_reached_is_refused(road: Road, user: str) -> None:
    video = road.at(Status.TRANSCRIBING, user)
    cancel(road.services, user, video.id)
    for step in (EMBED, INDEX):
        with pytest.raises(Conflict) as refused:
            reprocess(road.services, user, video.id, step=step)
        assert refused.value.code == "STEP_NOT_REACHED"
    assert road.now(video).status is Status.CANCELED


def test_senseless_wishes(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    wishes: list[tuple[Step | None, Options | None, str]] = [
        (Step.DELETE, None, "INVALID_STEP"),
        (Step.CLEANUP, None, "INVALID_STEP"),
        (EMBED, Options("en"), "INVALID_STEP"),
        (INDEX, Options("en"), "INVALID_STEP"),
        (None, Options("xx"), "UNKNOWN_LANGUAGE"),
        (None, Options(None, "enormous"), "UNKNOWN_MODEL"),
    ]
    for step, options, code in wishes:
        with pytest.raises(InvalidInput) as refused:
            reprocess(road.services, user, video.id, step=step, options=options)
        assert refused.value.code == code
    assert road.now(video).generation == 1


def test_what_is_not_there(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    with pytest.raises(NotFound):
        reprocess(road.services, road.new_user(), video.id)
    request_deletion(road.services, user, video.id)
    with pytest.raises(NotFound):
        reprocess(road.services, user, video.id)


def test_a_month_that_is_used_up_allows_only_what_hears_nothing(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    poor = road.limited(most_transcribed=30.0)
    for step in (None, EXTRACT, TRANSCRIBE):
        with pytest.raises(QuotaExceeded) as refused:
            reprocess(poor.services, user, video.id, step=step)
        assert refused.value.details == {"limit": 30.0, "used": pytest.approx(SECONDS, abs=0.5)}
    assert road.now(video).status is Status.COMPLETED
    poor.walk(reprocess(poor.services, user, video.id, step=EMBED))


def test_a_video_whose_upload_never_was_a_film_has_nothing_to_begin_with(road: Road, user: str) -> None:
    video = road.sent(user)
    with road.services.catalog.transaction() as tx:
        tx.videos.update(video.id, status=Status.FAILED)
    with pytest.raises(Conflict) as refused:
        reprocess(road.services, user, video.id)
    assert refused.value.code == "NOT_UPLOADED"
