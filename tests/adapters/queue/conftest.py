"""Two brokers behind one adapter, and ways to look behind its back."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from kombu import Connection
from redis import Redis

from biblio.domain.flow import Queue
from biblio.dsn import Dsn
from tests.rabbitmq import RabbitMQ

NAMES = ("biblio.media", "biblio.ai", "biblio.index", "biblio.dead", "ingestion")

Message = dict[str, Any]
"""`headers` and `properties` as the broker has them, `body` as JSON."""
Taken = Callable[[Queue], list[Message]]


@pytest.fixture
def valkey_dsn(addresses: Mapping[str, str]) -> Dsn:
    return Dsn.parse(addresses["BIBLIO_QUEUE"])


@pytest.fixture
def valkey(valkey_dsn: Dsn) -> Iterator[Redis]:
    dsn = valkey_dsn
    server = Redis(host=dsn.host, port=dsn.port or 6379, db=int(dsn.path), password=dsn.password, decode_responses=True)
    server.delete(*NAMES)
    yield server
    server.delete(*NAMES)


@pytest.fixture
def taken_from_valkey(valkey: Redis) -> Taken:
    def taken(queue: Queue) -> list[Message]:
        messages = []
        while (raw := valkey.rpop(f"biblio.{queue}")) is not None:  # Celery pushes at the left
            message = json.loads(str(raw))
            messages.append({**message, "body": json.loads(base64.b64decode(message["body"]))})
        return messages

    return taken


@pytest.fixture
def rabbitmq_dsn(rabbitmq: RabbitMQ) -> Dsn:
    return Dsn.parse(rabbitmq.address)


@pytest.fixture
def channel(rabbitmq: RabbitMQ) -> Iterator[Any]:
    _delete_queues(rabbitmq)
    with Connection(rabbitmq.address, connect_timeout=5) as connection:
        yield connection.channel()
        connection.collect()  # a test may have killed the broker meanwhile
    _delete_queues(rabbitmq)


def _delete_queues(rabbitmq: RabbitMQ) -> None:
    with Connection(rabbitmq.address, connect_timeout=5) as connection:
        channel: Any = connection.channel()
        for name in NAMES:
            channel.queue_delete(name)


@pytest.fixture
def taken_from_rabbitmq(channel: Any) -> Taken:
    def taken(queue: Queue) -> list[Message]:
        messages = []
        while (message := channel.basic_get(f"biblio.{queue}", no_ack=True)) is not None:
            told = {"headers": message.headers, "properties": message.properties, "body": json.loads(message.body)}
            messages.append(told)
        return messages

    return taken
