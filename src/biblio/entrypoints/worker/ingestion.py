"""The door for other programs: plain JSON in the queue `ingestion`, without Celery's envelope.

It is watched from a thread and over a connection of its own, because a catalog that is slow to answer must not keep
the worker from its own messages.
"""

import logging
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from amqp.exceptions import PreconditionFailed
from celery import Celery
from kombu import Consumer, Message, Producer
from kombu import Queue as BrokerQueue

from biblio.adapters.queue.celery_app import DEAD, HEARTBEAT, INGESTION, SECONDS, other_queues
from biblio.dsn import Dsn
from biblio.entrypoints.worker.message import read_announcement
from biblio.errors import BiblioError, InvalidInput, Unavailable
from biblio.pipeline.ingestion import ingest
from biblio.pipeline.services import Services

TRY_AGAIN = 5.0
"""Seconds a message is held, unacknowledged, that the catalog or storage could not take."""

MOST_TRIES = 3
"""How often a message may end its reader by an error nobody expected."""

log = logging.getLogger(__name__)


class IngestionDoor:
    def __init__(self, app: Celery, dsn: Dsn, services: Services, over: threading.Event) -> None:
        self._app, self._services, self._over = app, services, over
        self._dead, self._queue = other_queues(dsn)
        self._held: Message | None = None
        self._try_at = 0.0
        self._begun: Counter[bytes | str] = Counter()

    def serve(self) -> None:
        """Until it is over. Raises `Unavailable` when the broker goes away; then it is to be called again."""
        self._held = None
        connection = self._app.connection_for_read(heartbeat=HEARTBEAT)
        try:
            queue = self._declared(connection)
            consumer = Consumer(connection, [queue], on_message=self._take, prefetch_count=1, auto_declare=False)
            consumer.consume()
            while not self._over.is_set():
                self._look(connection)
        except (*connection.connection_errors, *connection.channel_errors) as error:
            raise Unavailable(f"The broker went away: {error}") from error
        finally:
            connection.collect()

    def _declared(self, connection: Any) -> BrokerQueue:
        """One that somebody made otherwise, a producer perhaps, is taken as it is."""
        with connection.channel() as channel:
            self._dead.bind(channel).declare()
        try:
            with connection.channel() as channel:
                self._queue.bind(channel).declare()
        except PreconditionFailed:
            log.info("the queue %s is of another kind than biblio's own, and used as it is", INGESTION)
        return self._queue.bind(connection.default_channel)

    def _look(self, connection: Any) -> None:
        with suppress(TimeoutError):
            connection.drain_events(timeout=1)
        connection.heartbeat_check()
        if self._held is not None and time.monotonic() >= self._try_at:
            self._take(self._held)

    def _take(self, message: Message) -> None:
        self._held = None
        body = message.body or b""
        self._begun[body] += 1
        try:
            if self._begun[body] > MOST_TRIES:
                raise InvalidInput(f"It broke its reader {MOST_TRIES} times.", code="BAD_MESSAGE")
            ingest(self._services, read_announcement(body))
        except InvalidInput as error:
            self._lay_aside(message, error)
        except BiblioError as error:
            log.warning("an announced video has to wait: %s", error)
            self._held, self._try_at = message, time.monotonic() + TRY_AGAIN
            self._begun[body] -= 1
            return
        del self._begun[body]
        message.ack()

    def _lay_aside(self, message: Message, why: InvalidInput) -> None:
        """By hand, and confirmed, so that the queue needs no arguments that a producer would have to know."""
        log.error("an announcement was refused and lies in %s now: %s (%s)", DEAD, why, why.code)
        channel: Any = message.channel
        with channel.connection.client.channel() as own:
            Producer(own).publish(
                message.body or b"",
                routing_key=DEAD,
                content_type=message.content_type or "application/octet-stream",
                content_encoding=message.content_encoding or "binary",
                headers={"biblio-code": why.code, "biblio-message": why.message},
                mandatory=True,
                timeout=SECONDS,
                confirm_timeout=SECONDS,
            )
