"""The application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from biblio import __version__
from biblio.bootstrap import build, close, exposition, metered
from biblio.entrypoints.api import (
    downloads,
    health,
    metrics,
    processing,
    searching,
    signing_in,
    sockets,
    storage_events,
    uploads,
    usage,
    videos,
)
from biblio.entrypoints.api.access import BodyLimit, RateLimit
from biblio.entrypoints.api.deadline import Deadline
from biblio.entrypoints.api.feed import Feed
from biblio.entrypoints.api.headers import SafeHeaders
from biblio.entrypoints.api.page_files import PageFiles
from biblio.entrypoints.api.problems import PROBLEMS, add_handlers, strays
from biblio.entrypoints.api.requests import RequestLog
from biblio.pipeline.services import Services
from biblio.settings import Settings

PAGE = Path(__file__).parent / "page"


def create_app(settings: Settings) -> FastAPI:
    meter = exposition()
    services = metered(build(settings), meter)
    meter.show(metrics.CatalogGauges(services))
    feed = Feed(services.catalog)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        # So that the first question does not pay for reading the embedder's weights.
        Thread(target=services.embedder.ping, name="warm-up", daemon=True).start()
        yield
        feed.close()
        close(services)

    app = FastAPIOffline(  # its documentation page needs no internet
        title="biblio",
        version=__version__,
        summary="Turns lectures and talks into a library you can search.",
        docs_url="/api/docs",
        openapi_url="/api/openapi.json",
        redoc_url=None,
        static_url="/api/docs-assets",
        lifespan=life,
    )
    app.state.services = services
    app.state.meter = meter
    app.state.deadline = Deadline(health.ENGINE_SECONDS)
    app.state.feed = feed
    app.state.rate_limit = RateLimit(settings.request_rate)
    app.state.event_secret = settings.event_secret
    return _with_routes(app, services)


def _with_routes(app: FastAPI, services: Services) -> FastAPI:
    app.add_middleware(BodyLimit)
    app.add_middleware(SafeHeaders, storage=services.storage)
    app.add_middleware(RequestLog, meter=services.meter)
    add_handlers(app)
    calls = (signing_in, uploads, videos, sockets, processing, downloads, searching, usage, storage_events)
    for part in (*calls, health, metrics):
        app.include_router(part.router, responses=PROBLEMS)
    app.include_router(strays)
    app.mount("/", PageFiles(PAGE), name="page")
    return app
