"""Celery's messages, on Valkey and on RabbitMQ."""

import socket
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from biblio.adapters.queue.celery_queue import connect
from biblio.domain.flow import Queue, Step
from biblio.domain.video import Job, Options
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Unavailable
from biblio.ports.queue import JobQueue
from tests.adapters.queue.conftest import NAMES, Taken
from tests.contracts.queue import PATIENCE, Arrived, QueueContract
from tests.local.processes import eventually
from tests.rabbitmq import MATURITY, RabbitMQ, running

JOB = Job(Step.TRANSCRIBE, "550e8400-e29b-41d4-a716-446655440000", "user_1", "bucket", "key", Options())


class Broker:
    """What is told of both; each names its `dsn`, and gives a `queue` in which nothing waits."""

    @pytest.fixture
    def absent(self, dsn: Dsn) -> JobQueue:
        return connect(replace(dsn, port=1))

    @pytest.fixture
    def silent(self, dsn: Dsn) -> Iterator[JobQueue]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield connect(replace(dsn, port=server.getsockname()[1]))

    def test_a_wrong_password_is_misconfigured_and_shown_nowhere(self, dsn: Dsn) -> None:
        queue = connect(replace(dsn, password="hidden-pass-phrase"))
        for call in (queue.ping, queue.prepare, lambda: queue.publish(JOB)):
            with pytest.raises(Misconfigured) as caught:
                call()
            assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(queue)

    def test_a_broker_that_is_down_shows_no_password(self, dsn: Dsn) -> None:
        queue = connect(replace(dsn, port=1, password="hidden-pass-phrase"))
        for call in (queue.ping, lambda: queue.publish(JOB)):
            with pytest.raises(Unavailable) as caught:
                call()
            assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(queue)


class TestOnValkey(Broker, QueueContract):
    @pytest.fixture
    def dsn(self, valkey_dsn: Dsn) -> Dsn:
        return valkey_dsn

    @pytest.fixture
    def queue(self, dsn: Dsn, valkey: Redis) -> Iterator[JobQueue]:
        queue = connect(dsn)
        yield queue
        queue.close()

    @pytest.fixture
    def arrived(self, taken_from_valkey: Taken) -> Arrived:
        return lambda queue: [message["body"][1] for message in taken_from_valkey(queue)]

    def test_a_message_is_celerys(self, queue: JobQueue, taken_from_valkey: Taken) -> None:
        queue.publish(JOB)
        (message,) = taken_from_valkey(Queue.AI)
        assert message["headers"]["task"] == "biblio.transcribe"
        assert message["content-type"] == "application/json"
        assert message["properties"]["delivery_mode"] == 2
        assert message["body"][:2] == [[], JOB.as_message()]

    def test_a_connection_the_server_closed_is_opened_again(self, queue: JobQueue, valkey: Redis) -> None:
        queue.publish(JOB)
        valkey.client_kill_filter(_type="normal", skipme=True)
        queue.publish(JOB)
        assert queue.waiting(Queue.AI) == 2

    def test_asking_again_and_again_takes_one_connection(self, queue: JobQueue, valkey: Redis) -> None:
        queue.waiting(Queue.AI)
        before = len(valkey.client_list())
        for _ in range(30):
            queue.ping()
            queue.publish(JOB)
        assert len(valkey.client_list()) <= before

    def test_an_unknown_option_is_refused(self, dsn: Dsn) -> None:
        with pytest.raises(Misconfigured, match="Did you mean 'visibility_timeout'"):
            connect(replace(dsn, options={"visibilty_timeout": "3"}))


class TestOnRabbitMQ(Broker, QueueContract):
    @pytest.fixture
    def dsn(self, rabbitmq_dsn: Dsn) -> Dsn:
        return rabbitmq_dsn

    @pytest.fixture
    def queue(self, dsn: Dsn, channel: Any) -> Iterator[JobQueue]:
        queue = connect(dsn)
        queue.prepare()
        yield queue
        queue.close()

    @pytest.fixture
    def arrived(self, taken_from_rabbitmq: Taken) -> Arrived:
        return lambda queue: [message["body"][1] for message in taken_from_rabbitmq(queue)]

    def test_a_message_is_celerys(self, queue: JobQueue, taken_from_rabbitmq: Taken) -> None:
        queue.publish(JOB)
        (message,) = taken_from_rabbitmq(Queue.AI)
        assert message["headers"]["task"] == "biblio.transcribe"
        assert message["properties"]["content_type"] == "application/json"
        assert message["properties"]["delivery_mode"] == 2
        assert message["body"][:2] == [[], JOB.as_message()]

    def test_its_queues_are_quorum_queues(self, queue: JobQueue, rabbitmq: RabbitMQ) -> None:
        kinds = dict(line.split() for line in rabbitmq.control("list_queues", "name", "type").splitlines()[1:])
        assert kinds == dict.fromkeys(NAMES, "quorum")

    def test_what_was_published_outlives_kill_9(self, tmp_path: Path) -> None:
        with running(tmp_path / "node") as node:
            queue = connect(Dsn.parse(node.address))
            queue.prepare()
            for _ in range(200):
                queue.publish(JOB)
            time.sleep(MATURITY)
            node.kill()
            node.start()
            eventually(lambda: queue.waiting(Queue.AI) == 200)  # it counts while it still reads its log
            queue.close()

    def test_a_broker_whose_memory_is_full_is_unavailable_soon(self, queue: JobQueue, rabbitmq: RabbitMQ) -> None:
        rabbitmq.alarm()
        try:
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    queue.publish(JOB)
                assert time.monotonic() - began < PATIENCE
            assert queue.waiting(Queue.AI) == 0, "reading goes on"
        finally:
            rabbitmq.relieve()
        queue.publish(JOB)

    def test_a_broker_that_stands_still_is_unavailable_soon(self, queue: JobQueue, rabbitmq: RabbitMQ) -> None:
        queue.publish(JOB)
        rabbitmq.freeze()
        try:
            began = time.monotonic()
            with pytest.raises(Unavailable):
                queue.publish(JOB)
            with pytest.raises(Unavailable):
                queue.ping()
            assert time.monotonic() - began < 2 * PATIENCE
        finally:
            rabbitmq.thaw()
        queue.publish(JOB)

    def test_a_message_for_a_queue_that_somebody_deleted_does_not_vanish(
        self, queue: JobQueue, channel: Any, taken_from_rabbitmq: Taken
    ) -> None:
        queue.publish(JOB)
        channel.queue_delete("biblio.ai")
        queue.publish(JOB)
        assert len(taken_from_rabbitmq(Queue.AI)) == 1

    def test_a_queue_of_another_kind_is_misconfigured(self, dsn: Dsn, channel: Any) -> None:
        channel.queue_declare("biblio.ai", durable=True, auto_delete=False)
        with pytest.raises(Misconfigured, match="another kind"):
            connect(dsn).waiting(Queue.AI)

    def test_another_virtual_host_that_is_not_there_is_misconfigured(self, dsn: Dsn) -> None:
        with pytest.raises(Misconfigured):
            connect(replace(dsn, path="nowhere")).ping()

    def test_asking_again_and_again_takes_one_connection(self, queue: JobQueue, rabbitmq: RabbitMQ) -> None:
        queue.waiting(Queue.AI)
        before = rabbitmq.control("list_connections", "pid").splitlines()
        for _ in range(30):
            queue.ping()
            queue.publish(JOB)
        assert rabbitmq.control("list_connections", "pid").splitlines() == before

    def test_an_unknown_option_is_refused(self, dsn: Dsn) -> None:
        with pytest.raises(Misconfigured, match="Known options: none"):
            connect(replace(dsn, options={"heartbeat": "0"}))


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
