"""`/metrics` for Prometheus. Without a key, as health is: there is nothing of one user or one video in it."""

import time
from threading import Lock

from fastapi import APIRouter, Request
from fastapi.responses import Response

from biblio.entrypoints.api.deadline import Deadline
from biblio.entrypoints.api.health import WORKER_SECONDS
from biblio.errors import BiblioError
from biblio.pipeline.services import Services
from biblio.ports.gauges import Gauges
from biblio.ports.meter import Exposition

router = APIRouter(tags=["health"])

KEPT_SECONDS = 5.0
"""However many ask, the catalog counts no oftener."""
CATALOG_SECONDS = 2.0


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Measurements of this process, and how much there is to do in the whole system, in Prometheus's text format."""
    meter: Exposition = request.app.state.meter
    return Response(meter.text(), media_type=meter.content_type)


class CatalogGauges:
    """Call it for the catalog's numbers, a few seconds old at most; None where it does not answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._deadline: Deadline[Gauges | None] = Deadline(CATALOG_SECONDS)
        self._lock = Lock()
        self._kept: Gauges | None = None
        self._until = 0.0

    def __call__(self) -> Gauges | None:
        with self._lock:
            if time.monotonic() > self._until:
                self._kept = self._deadline.ask({"gauges": self._read}).get("gauges")
                self._until = time.monotonic() + KEPT_SECONDS
            return self._kept

    def _read(self) -> Gauges | None:
        try:
            with self._services.catalog.transaction() as tx:
                return tx.gauges.read(seconds=WORKER_SECONDS)
        except BiblioError:
            return None
