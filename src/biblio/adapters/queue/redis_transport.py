"""Kombu's transport for Redis and Valkey, but for three things.

A stray entry in a queue's list is kept as a dead letter; kombu's own would end the worker. A message whose
acknowledgement failed no longer counts as being worked on; kombu's own would never fetch another. And a server that
does not answer is told at once: the client library would ask it three times more.
"""

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from kombu.transport import redis
from kombu.transport.virtual import Message
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from biblio.adapters.queue.celery_app import DEAD

log = logging.getLogger(__name__)


class Client(Redis):
    """What `is_message` refuses is laid aside, as if nothing had come."""

    def __init__(self, *arguments: Any, is_message: Callable[[bytes], bool], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_message = is_message

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name == "BRPOP" and answer and not self._is_message(answer[1]):
            log.error("an entry of a queue is no message at all and lies in %s now", DEAD)
            self.lpush(DEAD, answer[1])
            return None
        return answer


class QoS(redis.QoS):
    """What Redis still holds for unacknowledged comes back by its time-out, and wakes somebody in vain."""

    _quick_ack: Callable[[str], None]

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except BaseException:
            self._quick_ack(delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except BaseException:
            self._quick_ack(delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS

    def _get_client(self) -> Callable[..., Redis]:
        return partial(Client, is_message=self._is_message)

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        given = super()._connparams(asynchronous)  # type: ignore[misc]  # not in its stubs
        return {**given, "retry": Retry(NoBackoff(), 0)}

    def _is_message(self, entry: bytes) -> bool:
        try:
            delivery = Message(json.loads(entry), channel=self).delivery_info
            return isinstance(delivery["exchange"], str) and isinstance(delivery["routing_key"], str)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return False


class Transport(redis.Transport):
    Channel = Channel
