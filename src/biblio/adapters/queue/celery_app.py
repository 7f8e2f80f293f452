"""The Celery application for an address, and the queues it uses, on RabbitMQ as on Redis and Valkey."""

import socket
import ssl
from typing import Any

from celery import Celery
from kombu import Exchange
from kombu import Queue as BrokerQueue

from biblio.domain.flow import Queue, Step
from biblio.dsn import Dsn, Options

SECONDS = 5.0
"""A broker that takes longer than this to answer is down."""

HEARTBEAT = 4
"""Seconds. A connection without a sign of life for two of them is given up."""

DEAD = "biblio.dead"
"""Where messages lie that nobody understood."""

INGESTION = "ingestion"
"""Where other programs ask for work. Its name is the specification's, and stands without a prefix."""

RABBITMQ = frozenset({"amqp", "amqps"})

QUORUM = {"x-queue-type": "quorum"}
DELIVERIES = 20
"""How often a message may come back before RabbitMQ takes it for poison. Its job is not lost: the catalog has it."""


class RedisOptions(Options):
    visibility_timeout: int = 3600
    """Seconds until Redis hands a message out again. The lease decides who works, so this is only a last resort: for an
    announcement in the hands of a worker that was killed, of which nothing else knows."""


class RabbitMQOptions(Options):
    """None yet: a heartbeat or a confirmation that could be switched off would be a trap."""


def task_name(step: Step) -> str:
    return f"biblio.{step}"


def queue_name(queue: Queue) -> str:
    """The prefix keeps it apart where other programs share the database or virtual host."""
    return f"biblio.{queue}"


def broker_queue(dsn: Dsn, queue: Queue) -> BrokerQueue:
    dead_letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD, "x-delivery-limit": DELIVERIES}
    arguments = {**QUORUM, **dead_letters} if dsn.scheme in RABBITMQ else None
    name = queue_name(queue)
    return BrokerQueue(name, Exchange("biblio"), routing_key=name, queue_arguments=arguments)


def other_queues(dsn: Dsn) -> list[BrokerQueue]:
    """The dead letters, and what other programs publish to. No arguments that a producer would have to repeat."""
    arguments = QUORUM if dsn.scheme in RABBITMQ else None
    return [BrokerQueue(name, Exchange(""), routing_key=name, queue_arguments=arguments) for name in (DEAD, INGESTION)]


def celery_app(dsn: Dsn) -> Celery:
    """The publisher's and the worker's. Raises `Misconfigured`."""
    app = Celery("biblio", broker=Dsn(dsn.scheme, dsn.host, dsn.port, dsn.path, dsn.username, dsn.password).text())
    app.conf.update(
        task_queues=[broker_queue(dsn, queue) for queue in Queue],
        task_default_queue=queue_name(Queue.MEDIA),
        task_default_exchange="biblio",
        task_create_missing_queues=False,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_prefetch_count_reduction=False,
        worker_enable_remote_control=False,  # it obeys whoever can write to the broker
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_proc_alive_timeout=60.0,
        broker_heartbeat=HEARTBEAT,
        broker_connection_timeout=SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,  # a channel the broker closed must not end the worker
        **(_rabbitmq(dsn) if dsn.scheme in RABBITMQ else _redis(dsn)),
    )
    return app


def _rabbitmq(dsn: Dsn) -> dict[str, Any]:
    dsn.read_options(RabbitMQOptions)
    settings: dict[str, Any] = {
        "broker_transport_options": {
            "confirm_publish": True,
            "read_timeout": SECONDS,
            "write_timeout": SECONDS,
            # What is on its way to a broker that is gone must not wait for the system's quarter of an hour.
            "socket_settings": {
                socket.TCP_USER_TIMEOUT: round(SECONDS * 1000),
                socket.TCP_KEEPIDLE: 10,
                socket.TCP_KEEPINTVL: 3,
                socket.TCP_KEEPCNT: 3,
            },
            "max_retries": 0,  # kombu would try again for as long as it waited already; biblio's sweep does that
        },
    }
    if dsn.scheme == "amqps":
        settings["broker_use_ssl"] = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": dsn.host}
    return settings


def _redis(dsn: Dsn) -> dict[str, Any]:
    options = dsn.read_options(RedisOptions)
    settings: dict[str, Any] = {
        "broker_transport": "biblio.adapters.queue.redis_transport:Transport",
        "broker_transport_options": {
            "visibility_timeout": options.visibility_timeout,
            "socket_timeout": SECONDS,
            "socket_connect_timeout": SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 3,
            "max_retries": 0,
        },
        # Only while a process of the worker is free: what it holds back, nobody else can do.
        "worker_disable_prefetch": True,
    }
    if dsn.scheme == "rediss":
        settings["broker_use_ssl"] = {"ssl_cert_reqs": ssl.CERT_REQUIRED}  # kombu's own default checks nothing
    return settings
