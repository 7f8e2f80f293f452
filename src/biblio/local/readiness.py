"""Waits until programs just started answer, and says what one wrote when it does not."""

import time
from collections.abc import Callable, Iterable

from biblio.errors import Unavailable
from biblio.local.program import Program
from biblio.local.supervisor import Supervisor

POLL_SECONDS = 0.1


def wait_ready(
    supervisor: Supervisor, programs: Iterable[tuple[Program, Callable[[], None]]], say: Callable[[str], None]
) -> None:
    """Calls each program's second half as soon as it is ready, and says so.

    Raises `Unavailable` (START_FAILED) with the last lines of its log when any program ends or takes too long.
    """
    began, waiting = time.monotonic(), list(programs)
    while waiting:
        _refuse_ended(supervisor)
        for program, finish in list(waiting):
            passed = time.monotonic() - began
            if _is_ready(supervisor, program):
                finish()
                say(f"{program.label} ready after {time.monotonic() - began:.1f} s")
                waiting.remove((program, finish))
            elif passed > program.start_seconds:
                raise _failure(supervisor, program.name, f"{program.label} did not answer within {passed:.0f} s")
        if waiting:
            time.sleep(POLL_SECONDS)


def _is_ready(supervisor: Supervisor, program: Program) -> bool:
    return program.ready() if program.ready else supervisor.is_running(program.name)


def _refuse_ended(supervisor: Supervisor) -> None:
    for ended in supervisor.news():
        raise _failure(supervisor, ended.name, f"{ended.name} ended while starting ({ended.how})")
    if not supervisor.alive:
        raise Unavailable("supervisord ended while starting.", code="START_FAILED")


def _failure(supervisor: Supervisor, name: str, what: str) -> Unavailable:
    return Unavailable(f"{what}. It wrote last:\n{supervisor.last_lines(name)}", code="START_FAILED")
