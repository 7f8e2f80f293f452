"""The application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from biblio import __version__
from biblio.bootstrap import build, engines
from biblio.entrypoints.api import downloads, health, searching, storage_events, uploads, videos
from biblio.entrypoints.api.access import BodyLimit, RateLimit
from biblio.entrypoints.api.headers import SafeHeaders
from biblio.entrypoints.api.problems import add_handlers
from biblio.pipeline.services import Services
from biblio.settings import Settings

PAGE = Path(__file__).parent / "page"


def create_app(settings: Settings) -> FastAPI:
    services = build(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        # So that the first question does not pay for reading the embedder's weights.
        Thread(target=services.embedder.ping, name="warm-up", daemon=True).start()
        yield
        for engine in engines(services).values():
            engine.close()

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
    app.state.rate_limit = RateLimit(settings.request_rate)
    app.state.event_secret = settings.event_secret
    return _with_routes(app, services)


def _with_routes(app: FastAPI, services: Services) -> FastAPI:
    app.add_middleware(BodyLimit)
    app.add_middleware(SafeHeaders, storage=services.storage)
    add_handlers(app)
    for part in (uploads, videos, downloads, searching, storage_events, health):
        app.include_router(part.router)
    app.mount("/", StaticFiles(directory=PAGE, html=True), name="page")
    return app
