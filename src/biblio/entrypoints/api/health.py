"""Is it alive, and is everything it stands on there?"""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from biblio.bootstrap import engines
from biblio.domain.flow import Queue
from biblio.entrypoints.api.access import TheServices
from biblio.entrypoints.api.deadline import Deadline
from biblio.errors import BiblioError
from biblio.pipeline.services import Services
from biblio.ports.leadership import SWEEP

router = APIRouter(tags=["health"])

ENGINE_SECONDS = 2.0
"""So long may an engine take to answer. All are asked at once, so the whole answer takes no longer."""
WORKER_SECONDS = 15.0
HEAVY = {"speech", "audio"}
"""Engines that only workers use; `biblio doctor` tries them for real, a health check every second would not be free."""
WORKING = (*(f"{queue} worker" for queue in Queue), "sweep")
WORKERS = "workers"

States = dict[str, str]
"""By name: `ok`, or a sentence that says what is missing."""


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """This process lives."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Something is missing; the body says what."}})
def readyz(request: Request, services: TheServices) -> JSONResponse:
    """Every engine answers, its tables are up to date, every queue has a living worker, and one of them sweeps."""
    deadline: Deadline[States] = request.app.state.deadline
    asked = {name: engine for name, engine in engines(services).items() if name not in HEAVY}
    questions: dict[str, Callable[[], States]] = {name: partial(_tried, name, one.ping) for name, one in asked.items()}
    answers = deadline.ask({**questions, WORKERS: partial(_working, services)})
    silence = f"It did not answer within {deadline.seconds:g} s."
    checks = dict.fromkeys([*asked, *WORKING], silence)
    for answer in answers.values():
        checks |= answer
    ready = all(state == "ok" for state in checks.values())
    body: dict[str, Any] = {"status": "ok" if ready else "unavailable", "checks": checks}
    return JSONResponse(body, 200 if ready else 503)


def _tried(name: str, ping: Callable[[], None]) -> States:
    try:
        ping()
    except BiblioError as error:
        return {name: error.message}
    return {name: "ok"}


def _working(services: Services) -> States:
    """Which queues have a worker, and whether one of all the workers sweeps."""
    try:
        with services.catalog.transaction() as tx:
            living, is_led = tx.workers.living(seconds=WORKER_SECONDS), tx.gauges.is_led(SWEEP)
    except BiblioError:
        return dict.fromkeys(WORKING, "Only the catalog knows.")
    states = {f"{queue} worker": "ok" if queue in living else "no living worker" for queue in Queue}
    return {**states, "sweep": "ok" if is_led else "no worker leads it"}
