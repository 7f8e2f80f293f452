"""Celery as the carrier of wake-up messages: sends by task name, never imports the worker.

The message's keyword arguments are the specification's JSON: `task_type` and `payload`.
"""

import socket
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError, OperationalError

from biblio.domain.flow import Queue, Step, stage_of
from biblio.domain.video import Job
from biblio.dsn import Dsn, Options
from biblio.errors import Misconfigured, Unavailable

SECONDS = 5.0
"""A broker that takes longer than this to answer is down."""


REFUSED = ("Authentication", "NOAUTH", "WRONGPASS", "ACCESS_REFUSED", "AccessRefused")


class CeleryQueueOptions(Options):
    visibility_timeout: int = 24 * 3600
    """Seconds until Redis hands a message out again. The lease decides who works, so this is only a last resort."""


def task_name(step: Step) -> str:
    return f"biblio.{step}"


def celery_app(dsn: Dsn) -> Celery:
    """The Celery application for an address; the worker builds on the same one."""
    options = dsn.read_options(CeleryQueueOptions)
    app = Celery("biblio", broker=Dsn(dsn.scheme, dsn.host, dsn.port, dsn.path, dsn.username, dsn.password).text())
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": options.visibility_timeout,
            "socket_timeout": SECONDS,
            "socket_connect_timeout": SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "max_retries": 0,  # kombu would try again for as long as it waited already; biblio's sweep does that
        },
        task_publish_retry=False,
        task_create_missing_queues=True,
    )
    return app


class CeleryQueue:
    def __init__(self, app: Celery) -> None:
        self._app = app

    def prepare(self) -> None:
        self.ping()

    def ping(self) -> None:
        for queue in Queue:
            self.waiting(queue)

    def close(self) -> None:
        self._app.close()

    def publish(self, job: Job) -> None:
        with _translated():
            self._app.send_task(
                task_name(job.step), kwargs=job.as_message(), queue=stage_of(job.step).queue.value, retry=False
            )

    def waiting(self, queue: Queue) -> int:
        with _translated(), self._app.connection_for_write(connect_timeout=SECONDS) as connection:
            channel: Any = connection.default_channel
            declared = channel.queue_declare(queue=queue.value, durable=True, auto_delete=False)
            return int(declared.message_count)


def connect(dsn: Dsn) -> CeleryQueue:
    return CeleryQueue(celery_app(dsn))


class _translated:
    """The one table that turns kombu's and the sockets' errors into ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        if any(word in _told(error) for word in REFUSED):
            raise Misconfigured("The broker refuses this user or password: check BIBLIO_QUEUE.") from error
        if isinstance(error, (KombuError, OperationalError, OSError, socket.timeout)) or _is_client_error(error):
            raise Unavailable("The broker does not answer; it is worth another try.") from error


def _told(error: BaseException | None) -> str:
    """Names and texts of an error and its causes: kombu wraps what its client libraries say."""
    return f"{type(error).__name__} {error}; {_told(error.__cause__)}" if error is not None else ""


def _is_client_error(error: BaseException) -> bool:
    """Kombu lets some errors of its client libraries through as they are."""
    return type(error).__module__.split(".")[0] in {"redis", "amqp", "vine"}
