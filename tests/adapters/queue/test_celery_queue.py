"""Celery's messages, on Valkey."""

import base64
import json
import socket
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from biblio.adapters.queue.celery_queue import connect
from biblio.domain.flow import Queue, Step
from biblio.domain.video import Job, Options
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Unavailable
from biblio.ports.queue import JobQueue
from tests.contracts.queue import Arrived, QueueContract

JOB = Job(Step.TRANSCRIBE, "550e8400-e29b-41d4-a716-446655440000", "user_1", "bucket", "key", Options())


@pytest.fixture
def dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_QUEUE"])


@pytest.fixture
def server(dsn: Dsn) -> Iterator[Redis]:
    """Valkey itself, to look behind the adapter's back."""
    server = Redis(host=dsn.host, port=dsn.port or 6379, db=int(dsn.path), password=dsn.password, decode_responses=True)
    server.delete(*Queue)
    yield server
    server.delete(*Queue)


@pytest.fixture
def queue(dsn: Dsn, server: Redis) -> Iterator[JobQueue]:
    queue = connect(dsn)
    yield queue
    queue.close()


class TestCeleryQueue(QueueContract):
    @pytest.fixture
    def arrived(self, server: Redis) -> Arrived:
        return lambda queue: [_body(message)[1] for message in _taken(server, queue)]

    @pytest.fixture
    def absent(self, dsn: Dsn) -> JobQueue:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        return connect(replace(dsn, port=port))

    @pytest.fixture
    def silent(self, dsn: Dsn) -> Iterator[JobQueue]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield connect(replace(dsn, port=server.getsockname()[1]))


def _taken(server: Redis, queue: Queue) -> list[dict[str, Any]]:
    """Raw messages: Celery pushes at the left, and its workers take from the right."""
    messages = []
    while (raw := server.rpop(queue.value)) is not None:
        messages.append(json.loads(str(raw)))
    return messages


def _body(message: dict[str, Any]) -> list[Any]:
    """Celery's `[args, kwargs, embed]`."""
    body: list[Any] = json.loads(base64.b64decode(message["body"]))
    return body


def test_a_message_is_celerys_with_the_specifications_json_as_its_keyword_arguments(
    queue: JobQueue, server: Redis
) -> None:
    queue.publish(JOB)
    (message,) = _taken(server, Queue.AI)
    arguments, keywords, _ = _body(message)
    assert message["headers"]["task"] == "biblio.transcribe"
    assert (message["content-type"], message["properties"]["body_encoding"]) == ("application/json", "base64")
    assert message["properties"]["delivery_mode"] == 2
    assert arguments == []
    assert keywords == JOB.as_message()


def test_a_connection_the_server_closed_is_opened_again(queue: JobQueue, server: Redis) -> None:
    queue.publish(JOB)
    server.client_kill_filter(_type="normal", skipme=True)
    queue.publish(JOB)
    assert queue.waiting(Queue.AI) == 2


def test_asking_again_and_again_leaves_no_connections_behind(queue: JobQueue, server: Redis) -> None:
    for _ in range(3):
        queue.waiting(Queue.AI)
    before = len(server.client_list())
    for _ in range(30):
        queue.ping()
        queue.publish(JOB)
    assert len(server.client_list()) <= before + 2


def test_a_wrong_password_is_misconfigured_and_shown_nowhere(dsn: Dsn) -> None:
    queue = connect(replace(dsn, password="hidden-pass-phrase"))
    for call in (queue.ping, queue.prepare, lambda: queue.publish(JOB)):
        with pytest.raises(Misconfigured) as caught:
            call()
        assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(queue)


def test_a_broker_that_is_down_shows_no_password(dsn: Dsn) -> None:
    queue = connect(replace(dsn, port=1, password="hidden-pass-phrase"))
    for call in (queue.ping, lambda: queue.publish(JOB)):
        with pytest.raises(Unavailable) as caught:
            call()
        assert "hidden-pass-phrase" not in _everything_shown(caught.value) + repr(queue)


def test_an_unknown_option_is_refused(dsn: Dsn) -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'visibility_timeout'"):
        connect(replace(dsn, options={"visibilty_timeout": "3"}))


def _everything_shown(error: BiblioError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)
