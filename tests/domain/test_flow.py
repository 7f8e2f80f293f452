import pytest

from biblio.domain.flow import DELETION, ENDED, ROAD, Queue, Status, Step, first_stage, overall_progress, stage_after
from biblio.domain.flow import stage_of as stage


def test_the_road_is_the_specifications() -> None:
    walked, current = [first_stage()], stage_after(first_stage().step)
    while current is not None:
        walked.append(current)
        current = stage_after(current.step)
    assert [(step.status.value, step.queue.value) for step in walked] == [
        ("EXTRACTING", "media"),
        ("TRANSCRIBING", "ai"),
        ("EMBEDDING", "ai"),
        ("INDEXING", "index"),
    ]


def test_every_step_has_a_place_and_only_deleting_is_off_the_road() -> None:
    assert {stage(step).step for step in Step} == set(Step)
    assert stage(Step.DELETE) is DELETION
    assert (DELETION.queue, DELETION.status) == (Queue.INDEX, Status.DELETING)
    assert DELETION not in ROAD


def test_no_step_on_the_road_is_an_ended_status() -> None:
    assert not ENDED & {stage(step).status for step in Step}


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
