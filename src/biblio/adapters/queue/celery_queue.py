"""Celery as the carrier of wake-up messages: sends by task name, never imports the worker.

The message's keyword arguments are the specification's JSON: `task_type` and `payload`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kombu.exceptions import KombuError, OperationalError

from biblio.adapters.queue.celery_app import SECONDS, broker_queue, celery_app, other_queues, queue_name, task_name
from biblio.domain.flow import Queue, stage_of
from biblio.domain.video import Job
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Unavailable

REFUSED = ("Authentication", "NOAUTH", "WRONGPASS", "ACCESS_REFUSED", "AccessRefused", "NOT_ALLOWED")
OTHERWISE = "PRECONDITION_FAILED"
AT_ONCE = 1.0

T = TypeVar("T")


class CeleryQueue:
    """Connections are kept and used again, by one thread at a time."""

    def __init__(self, dsn: Dsn) -> None:
        self._app = celery_app(dsn)
        self._queues = {queue: broker_queue(dsn, queue) for queue in Queue}
        self._others = other_queues(dsn)

    def prepare(self) -> None:
        self._ask(self._declare)

    def ping(self) -> None:
        for queue in Queue:
            self.waiting(queue)

    def close(self) -> None:
        self._app.close()

    def publish(self, job: Job) -> None:
        self._ask(lambda connection: self._send(connection, job))

    def waiting(self, queue: Queue) -> int:
        # Declared as always: a queue that somebody deleted is there again, and a missing one is no error.
        declared: Any = self._ask(
            lambda connection: self._queues[queue].bind(connection.default_channel).queue_declare()
        )
        return int(declared.message_count)

    def _declare(self, connection: Any) -> None:
        for queue in (*self._others, *self._queues.values()):
            queue.bind(connection.default_channel).declare()

    def _send(self, connection: Any, job: Job) -> None:
        """Mandatory: a queue that somebody deleted is an error, not a message that vanishes."""
        self._app.send_task(
            task_name(job.step),
            kwargs=job.as_message(),
            queue=queue_name(stage_of(job.step).queue),
            connection=connection,
            retry=False,
            mandatory=True,
            timeout=SECONDS,
            confirm_timeout=SECONDS,
        )

    def _ask(self, question: Callable[[Any], T]) -> T:
        """Once more, if it failed at once: the connection was lost while it was idle."""
        began = time.monotonic()
        try:
            with _translated(), self._connection() as connection:
                return question(connection)
        except Unavailable:
            if time.monotonic() - began > AT_ONCE:
                raise
        with _translated(), self._connection() as connection:
            return question(connection)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        connection: Any = self._app.pool.acquire(block=True, timeout=SECONDS)
        try:
            yield connection
        except BaseException:
            connection.collect()  # no farewell: a broker that is gone would be waited for once more
            raise
        finally:
            connection.release()


def connect(dsn: Dsn) -> CeleryQueue:
    return CeleryQueue(dsn)


class _translated:
    """Kombu's, its client libraries' and the sockets' errors as ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (KombuError, OperationalError, OSError)) or _is_client_error(error):
            raise _ours(error) from error


def _ours(error: BaseException | None) -> BiblioError:
    """The one table."""
    told = _told(error)
    if any(word in told for word in REFUSED):
        return Misconfigured("The broker refuses this user or password: check BIBLIO_QUEUE.")
    if OTHERWISE in told:
        return Misconfigured("The broker has a queue of biblio's name, but of another kind: remove or rename it.")
    return Unavailable("The broker does not answer; it is worth another try.")


def _told(error: BaseException | None) -> str:
    """Names and texts of an error and its causes: kombu wraps what its client libraries say."""
    return f"{type(error).__name__} {error}; {_told(error.__cause__)}" if error is not None else ""


def _is_client_error(error: BaseException | None) -> bool:
    """Kombu lets some errors of its client libraries through as they are."""
    return type(error).__module__.split(".")[0] in {"redis", "amqp", "vine"}
