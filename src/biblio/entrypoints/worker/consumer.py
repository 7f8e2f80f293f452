"""Celery's consumer, made to last: it comes back soon from whatever the broker does, keeps what it does not understand,
and fetches only what it can begin."""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Connection, Consumer, Tasks
from celery.worker.consumer.consumer import Evloop
from celery.worker.state import active_requests, maybe_shutdown, reserved_requests
from kombu import Message, Producer

from biblio.adapters.queue.celery_app import DEAD
from biblio.entrypoints.worker.wake_up import ACK_AFTER, WakeUp, check_wake_up
from biblio.errors import InvalidInput

AGAIN, SELDOMEST = 0.5, 2.0
"""Seconds between attempts to reach the broker again. Celery's own go up to 30."""

log = logging.getLogger(__name__)


class LastingConsumer(Consumer):
    """Also the desk of its wake-ups: see `WakeUp`."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[valid-type,misc]  # declared as a value
        # Not among them: remote control, which would obey whoever can write to the broker, and delayed delivery,
        # which would leave 28 queues of its own there.
        default_steps = (Connection, Tasks, Evloop)

    ack_after = ACK_AFTER
    on_death: Callable[[int], None]
    on_task_message: set[Callable[[WakeUp], None]]
    connection: Any
    connection_errors: tuple[type[Exception], ...]
    hub: Any
    task_consumer: Any
    qos_global: bool | None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._long: set[WakeUp] = set()
        self.on_task_message.add(self._take)

    def ensure_connected(self, connection: Any) -> Any:
        def complain(error: Exception, _: float) -> None:
            log.warning("the broker is away: %s", error)

        return connection.ensure_connection(
            complain, None, interval_start=AGAIN, interval_step=AGAIN, interval_max=SELDOMEST, callback=maybe_shutdown
        )

    def create_task_handler(self, *arguments: Any, **options: Any) -> Callable[[Message], None]:
        handle = super().create_task_handler(*arguments, **options)

        def received(message: Message) -> None:
            try:
                check_wake_up(message)
            except InvalidInput as error:
                self._lay_aside(message, error)
            else:
                handle(message)

        return received

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        self._lay_aside(message, exc)

    def on_ready(self) -> None:
        super().on_ready()
        self._pause_when_full()

    def let_go(self, wake_up: WakeUp) -> None:
        self._long.add(wake_up)
        self._pause_when_full()

    def ended(self, wake_up: WakeUp) -> None:
        if wake_up not in self._long:
            return
        self._long.discard(wake_up)
        if self._is_static and self.task_consumer:
            self.task_consumer.consume()

    @property
    def is_free(self) -> bool:
        """Whether the next message that comes is for this worker."""
        return bool(self.task_consumer) and not (self._long or reserved_requests or active_requests)

    def listen_anew(self) -> None:
        """As after a lost connection. From any thread."""
        # Not kombu's get_event_loop(): that one is gone after the first lost line, while the hub goes on.
        self.hub.call_soon(_lose_the_line)

    def died(self, pid: int) -> None:
        self.on_death(pid)

    def _take(self, request: WakeUp) -> None:
        request.desk = self

    @property
    def _is_static(self) -> bool:
        """Whether the broker goes by what is not acknowledged yet, and so would send more to busy processes."""
        return self.qos_global is False

    def _pause_when_full(self) -> None:
        """Whatever came while every process is at long work is for other workers."""
        if not self._is_static or len(self._long) < self.pool.num_processes or not self.task_consumer:
            return
        self.task_consumer.cancel()
        for request in set(reserved_requests) - set(active_requests):
            request.reject(requeue=True)

    def _lay_aside(self, message: Message, why: Exception) -> None:
        log.error("a message is not one of ours and lies in %s now: %s", DEAD, why)
        if self.connection.transport.driver_type == "redis":
            Producer(self.connection).publish(
                message.body or "",
                routing_key=DEAD,
                content_type=message.content_type or "application/octet-stream",
                content_encoding=message.content_encoding or "binary",
            )
            message.ack_log_error(log, self.connection_errors)
        else:
            message.reject_log_error(log, self.connection_errors)


def _lose_the_line() -> None:
    raise ConnectionResetError("the broker delivers nothing")
