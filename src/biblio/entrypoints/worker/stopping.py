"""How a worker ends: at SIGTERM it finishes or gives back what it is at, within the grace; at a second one, at once."""

import logging
import mmap
import os
import signal
import threading
from typing import Any

from kombu.asynchronous import get_event_loop

LAST_SECONDS = 4.0
"""After the grace: to give back what did not end in time, and to say farewell to a broker that may not answer."""

log = logging.getLogger(__name__)


class StopSign:
    """Seen by every process forked after it was made. One byte and no lock: a process may be killed at any moment."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def put_up(self) -> None:
        self._byte[0] = 1

    def is_up(self) -> bool:
        return self._byte[0] == 1


def clear_up_when_stopped() -> None:
    """While a worker starts, until Celery's own handlers stand: SIGTERM would else leave its files lying about."""
    signal.signal(signal.SIGTERM, _leave)


def stop_within(sign: StopSign, seconds: float) -> None:
    """From the signal handler of the worker's own process. Its children die with it."""
    sign.put_up()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, _end_now)
    for later, act in ((0.0, _wake), (seconds + LAST_SECONDS, _end_now)):
        timer = threading.Timer(later, act)
        timer.daemon = True
        timer.start()


def ignore_signals() -> None:
    """In a child: the worker tells it when to stop, though whoever stops the worker may signal all its processes.

    By a handler that does nothing: what is ignored would be ignored by the programs it starts, too.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _nothing)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wake() -> None:
    """The worker's loop may sleep until its next heartbeat, and a signal does not wake it. Another thread can."""
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(_nothing)


def _leave(*_: Any) -> None:
    raise SystemExit(0)


def _end_now(*_: Any) -> None:
    log.warning("the worker ends at once")
    os._exit(1)


def _nothing(*_: Any) -> None: ...
