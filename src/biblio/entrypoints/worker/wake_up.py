"""What the worker does with a wake-up message, from its arrival until it is acknowledged."""

from typing import Any, Protocol

from billiard.exceptions import WorkerLostError
from celery.worker.request import Request
from celery.worker.state import task_ready
from kombu import Message
from kombu.asynchronous import get_event_loop
from kombu.exceptions import KombuError

from biblio.adapters.queue.celery_app import task_name
from biblio.domain.flow import Step
from biblio.entrypoints.worker.message import check_message
from biblio.errors import InvalidInput

ACK_AFTER = 60.0
"""Seconds of work after which a message is acknowledged all the same: from then on, nothing depends on how long the
broker waits for that. The lease in the catalog says who works."""

TASKS = [task_name(step) for step in Step]


class Desk(Protocol):
    """Who hands the messages out. `let_go`: a message was acknowledged before its work ended; `ended`: now it did."""

    ack_after: float

    def let_go(self, wake_up: "WakeUp") -> None: ...

    def ended(self, wake_up: "WakeUp") -> None: ...

    def died(self, pid: int) -> None: ...


class WakeUp(Request):
    desk: Desk
    _timer: Any = None
    worker_pid: Any

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        super().on_accepted(pid, time_accepted)
        loop = get_event_loop()
        if loop is not None:
            self._timer = loop.call_later(self.desk.ack_after, self._let_go)

    def acknowledge(self) -> None:
        self._end()
        super().acknowledge()

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        if not _is_death(exc_info):
            super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
            return
        task_ready(self)
        self._end()
        self.desk.died(self.worker_pid)
        self.reject(requeue=True)

    def _let_go(self) -> None:
        super().acknowledge()
        self.desk.let_go(self)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.desk.ended(self)


def _is_death(exc_info: Any) -> bool:
    error = exc_info.exception
    return isinstance(getattr(error, "exc", error), WorkerLostError)


def check_wake_up(message: Message) -> None:
    """Whether it is one of ours: others may write to the queue too. Raises `InvalidInput`."""
    headers = message.headers
    if not isinstance(headers, dict) or headers.get("task") not in TASKS or not isinstance(headers.get("id"), str):
        raise InvalidInput("It asks for no task of ours.", code="BAD_MESSAGE")
    try:
        payload = message.payload
    except (KombuError, LookupError, TypeError, ValueError) as error:
        raise InvalidInput(f"It can't be read: {type(error).__name__}.", code="BAD_MESSAGE") from None
    match payload:
        case [list(), dict() as keywords, dict() | None]:
            check_message(keywords)
        case _:
            raise InvalidInput("It is not shaped like Celery's.", code="BAD_MESSAGE")
