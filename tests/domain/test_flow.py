import pytest

from biblio.domain.flow import (
    ENDED,
    ROAD,
    UPKEEP,
    WORKING,
    Queue,
    Status,
    Step,
    first_stage,
    is_upkeep,
    overall_progress,
    stage_after,
    steps_before,
    steps_of,
)
from biblio.domain.flow import stage_of as stage


def test_the_road_is_the_specifications() -> None:
    walked, current = [first_stage()], stage_after(first_stage().step)
    while current is not None:
        walked.append(current)
        current = stage_after(current.step)
    assert [(step.status, step.queue) for step in walked] == [
        ("EXTRACTING", "media"),
        ("TRANSCRIBING", "ai"),
        ("EMBEDDING", "ai"),
        ("INDEXING", "index"),
    ]


def test_every_step_has_one_place_on_the_road_or_beside_it() -> None:
    assert sorted(each.step for each in (*ROAD, *UPKEEP)) == sorted(Step)
    assert {step for step in Step if is_upkeep(step)} == {Step.DELETE, Step.CLEANUP}
    for step in Step:
        assert stage(step).step is step
        assert (stage(step).status is None) == is_upkeep(step), "work beside the road is not shown"


def test_every_status_is_before_the_road_on_it_or_after_it() -> None:
    assert {Status.UPLOADING, Status.DELETING, *ENDED, *WORKING} == set(Status)
    assert not ENDED & WORKING
    assert {each.status for each in ROAD} | {Status.PENDING} == WORKING


def test_a_step_stands_on_all_steps_before_it() -> None:
    assert [steps_before(each.step) for each in ROAD] == [
        (),
        (Step.EXTRACT,),
        (Step.EXTRACT, Step.TRANSCRIBE),
        (Step.EXTRACT, Step.TRANSCRIBE, Step.EMBED),
    ]


def test_in_a_queue_what_is_furthest_down_the_road_comes_first_and_upkeep_last() -> None:
    assert {queue: steps_of(queue) for queue in Queue} == {
        Queue.MEDIA: (Step.EXTRACT,),
        Queue.AI: (Step.EMBED, Step.TRANSCRIBE),
        Queue.INDEX: (Step.INDEX, Step.CLEANUP, Step.DELETE),
    }


def test_the_shares_are_the_whole_work() -> None:
    assert sum(step.share for step in ROAD) == 100


def test_progress_only_grows_along_the_road_and_100_is_kept_for_the_end() -> None:
    shown = [overall_progress(step.step, tenth / 10) for step in ROAD for tenth in range(11)]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, 99)


@pytest.mark.parametrize(
    ("step", "done", "shown"),
    [
        (Step.EXTRACT, 0.5, 5),
        (Step.EXTRACT, -1.0, 0),
        (Step.TRANSCRIBE, 0.0, 10),
        (Step.TRANSCRIBE, 0.5, 47),
        (Step.TRANSCRIBE, 7.0, 85),
        (Step.INDEX, 0.0, 95),
        (Step.DELETE, 0.5, 0),
    ],
)
def test_progress_of_one_step_is_its_part_of_the_whole(step: Step, done: float, shown: int) -> None:
    assert overall_progress(step, done) == shown
