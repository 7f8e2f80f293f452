"""Is it alive, and is everything it stands on there?"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from biblio.bootstrap import engines
from biblio.domain.flow import Queue
from biblio.entrypoints.api.access import TheServices
from biblio.errors import BiblioError

router = APIRouter(tags=["health"])

WORKER_SECONDS = 15.0
HEAVY = {"speech", "audio"}
"""Engines that only workers use; `biblio doctor` tries them for real, a health check every second would not be free."""


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """This process lives."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Something is missing; the body says what."}})
def readyz(services: TheServices) -> JSONResponse:
    """Every engine answers and every queue has a living worker."""
    checks = {name: _tried(engine.ping) for name, engine in engines(services).items() if name not in HEAVY}
    living: set[Queue] = set()
    if checks["catalog"] == "ok":
        with services.catalog.transaction() as tx:
            living = tx.workers.living(seconds=WORKER_SECONDS)
    checks |= {f"{queue} worker": "ok" if queue in living else "no living worker" for queue in Queue}
    ready = all(state == "ok" for state in checks.values())
    body: dict[str, Any] = {"status": "ok" if ready else "unavailable", "checks": checks}
    return JSONResponse(body, 200 if ready else 503)


def _tried(ping: Callable[[], None]) -> str:
    try:
        ping()
    except BiblioError as error:
        return error.message
    return "ok"
