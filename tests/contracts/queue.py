"""What every queue promises: one test for each line of `biblio.ports.queue.JobQueue`.

An adapter's class supplies the fixtures `queue` (nothing waits in it), `arrived` (takes the messages out of a queue,
oldest first, as a worker would get them), `absent` and `silent` (queues whose broker is not there, or never answers).
"""

import time
from collections.abc import Callable
from typing import Any

import pytest

from biblio.domain.flow import Queue, Step, stage_of
from biblio.domain.video import Job, Options
from biblio.errors import Unavailable
from biblio.ports.queue import JobQueue
from tests.contracts.catalog_suite import at_once

Arrived = Callable[[Queue], list[dict[str, Any]]]

VIDEO = "550e8400-e29b-41d4-a716-446655440000"
PATIENCE = 10.0
"""Seconds after which a broker must have been given up."""


def _job(step: Step = Step.EXTRACT, key: str = "videos/raw/uuid-1234.mp4") -> Job:
    return Job(step, VIDEO, "user_123", "biblio-video-store", key, Options("ko", "high_quality"))


class QueueContract:
    def test_a_published_job_arrives_as_the_specifications_json(self, queue: JobQueue, arrived: Arrived) -> None:
        queue.publish(_job())
        assert arrived(Queue.MEDIA) == [
            {
                "task_type": "ingestion",
                "payload": {
                    "video_id": "550e8400-e29b-41d4-a716-446655440000",
                    "user_id": "user_123",
                    "bucket": "biblio-video-store",
                    "key": "videos/raw/uuid-1234.mp4",
                    "options": {"language": "ko", "model": "high_quality"},
                },
            }
        ]

    def test_options_that_were_not_chosen_are_left_out(self, queue: JobQueue, arrived: Arrived) -> None:
        queue.publish(Job(Step.DELETE, VIDEO, "김철수", "버킷", 'a "b" \\ 🎓', Options()))
        assert arrived(Queue.INDEX) == [
            {
                "task_type": "deletion",
                "payload": {
                    "video_id": VIDEO,
                    "user_id": "김철수",
                    "bucket": "버킷",
                    "key": 'a "b" \\ 🎓',
                    "options": {},
                },
            }
        ]

    @pytest.mark.parametrize("step", list(Step))
    def test_a_published_job_arrives_in_the_queue_of_its_step(
        self, queue: JobQueue, arrived: Arrived, step: Step
    ) -> None:
        queue.publish(_job(step))
        assert {name: len(arrived(name)) for name in Queue} == {
            name: int(name is stage_of(step).queue) for name in Queue
        }

    def test_what_waits_is_counted(self, queue: JobQueue, arrived: Arrived) -> None:
        assert [queue.waiting(name) for name in Queue] == [0, 0, 0]
        for number in range(3):
            queue.publish(_job(key=str(number)))
        queue.publish(_job(Step.INDEX))
        assert {name: queue.waiting(name) for name in Queue} == {Queue.MEDIA: 3, Queue.AI: 0, Queue.INDEX: 1}
        assert [message["payload"]["key"] for message in arrived(Queue.MEDIA)] == ["0", "1", "2"]
        assert queue.waiting(Queue.MEDIA) == 0

    def test_many_threads_share_one_queue(self, queue: JobQueue, arrived: Arrived) -> None:
        def publish(number: int) -> int:
            queue.publish(_job(Step.EMBED, key=str(number)))
            return queue.waiting(Queue.AI)

        assert max(at_once(24, publish)) == 24
        assert sorted(int(message["payload"]["key"]) for message in arrived(Queue.AI)) == list(range(24))

    def test_preparing_may_be_repeated_and_leaves_what_waits(self, queue: JobQueue) -> None:
        queue.publish(_job())
        at_once(4, lambda _: queue.prepare())
        queue.ping()
        assert queue.waiting(Queue.MEDIA) == 1

    @pytest.mark.parametrize("call", ["publish", "waiting", "ping", "prepare"])
    def test_a_broker_that_is_down_is_unavailable_soon_not_an_endless_wait(self, absent: JobQueue, call: str) -> None:
        assert _seconds_until_unavailable(absent, call) < PATIENCE

    @pytest.mark.parametrize("call", ["publish", "ping"])
    def test_a_broker_that_never_answers_is_unavailable_soon_not_an_endless_wait(
        self, silent: JobQueue, call: str
    ) -> None:
        assert _seconds_until_unavailable(silent, call) < PATIENCE


def _seconds_until_unavailable(queue: JobQueue, call: str) -> float:
    calls: dict[str, Callable[[], object]] = {
        "publish": lambda: queue.publish(_job()),
        "waiting": lambda: queue.waiting(Queue.AI),
        "ping": queue.ping,
        "prepare": queue.prepare,
    }
    began = time.monotonic()
    with pytest.raises(Unavailable):
        calls[call]()
    return time.monotonic() - began
