"""The only place where a port meets an adapter."""

from dataclasses import replace

from biblio.adapters.limiter.metered import MeteredLimiter
from biblio.adapters.registry import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.pipeline.services import Limits, Services, space_of
from biblio.ports.engine import Engine
from biblio.ports.meter import Exposition, Meter
from biblio.ports.tracer import Untraced
from biblio.settings import Settings


def build(settings: Settings) -> Services:
    """Everything connected by address, nothing called yet. Raises `Misconfigured`."""
    if settings.env == "production" and settings.speech.scheme == "scripted":
        raise Misconfigured("scripted:// says made-up words and is refused when BIBLIO_ENV=production.")
    database = _needed(settings.database, "BIBLIO_DATABASE")
    embedder = connect("embedder", settings.embedder)
    return Services(
        catalog=connect("catalog", database),
        storage=connect("storage", _storage(settings)),
        queue=connect("queue", _needed(settings.queue, "BIBLIO_QUEUE")),
        audio=connect("audio", _audio(settings)),
        speech=connect("speech", _with_bucket(settings.speech, settings.storage)),
        embedder=embedder,
        vectors=connect("vectors", _vectors(settings.vectors, database, space_of(embedder), embedder.dimension)),
        limiter=connect("limiter", _needed(settings.limiter, "BIBLIO_LIMITER")),
        limits=_limits(settings),
        tracer=connect("tracer", settings.traces) if settings.traces else Untraced(),
    )


def exposition() -> Exposition:
    """Measurements of this process, none yet."""
    from biblio.adapters.meter.prometheus import PrometheusMeter  # children and commands need none

    return PrometheusMeter()


def metered(services: Services, meter: Meter) -> Services:
    """The same services, whose measurements go there."""
    return replace(services, meter=meter, limiter=MeteredLimiter(services.limiter, meter))


def close(services: Services) -> None:
    """Nothing of them is used afterwards."""
    services.tracer.close()
    for engine in engines(services).values():
        engine.close()


def engines(services: Services) -> dict[str, Engine]:
    """Every outside thing by the name of its port: health, doctor and preparation are loops over this."""
    return {
        "catalog": services.catalog,
        "storage": services.storage,
        "queue": services.queue,
        "limiter": services.limiter,
        "audio": services.audio,
        "speech": services.speech,
        "embedder": services.embedder,
        "vectors": services.vectors,
    }


def _limits(settings: Settings) -> Limits:
    return Limits(
        largest_file=settings.max_file_size,
        multipart_threshold=settings.multipart_threshold,
        upload_seconds=settings.upload_seconds,
        upload_lifetime=settings.upload_lifetime,
        download_seconds=settings.download_seconds,
        most_stored=settings.max_stored,
        most_uploads=settings.max_uploads,
        most_transcribed=settings.max_transcribed,
        stop_seconds=settings.stop_seconds,
    )


def _needed(dsn: Dsn | None, name: str) -> Dsn:
    if dsn is None:
        raise Misconfigured(f"{name} is not set and no local biblio is running: start it with `biblio up`, or set it.")
    return dsn


def _storage(settings: Settings) -> Dsn:
    """The pages that may upload straight to the bucket are a setting of their own: an address is for a place."""
    storage = _needed(settings.storage, "BIBLIO_STORAGE")
    if not settings.page_origins:
        return storage
    return replace(storage, options={**storage.options, "origins": settings.page_origins})


def _audio(settings: Settings) -> Dsn:
    return replace(settings.audio, options={"max_duration": str(settings.max_duration), **settings.audio.options})


def _with_bucket(speech: Dsn, storage: Dsn | None) -> Dsn:
    """Google Speech hears long sounds from Google's storage only: where ours is that, there is a bucket already."""
    if speech.scheme != "google" or storage is None or storage.scheme != "gs":
        return speech
    found = {"staging": f"gs://{storage.host}", "staging_endpoint": storage.options.get("endpoint")}
    usual = {"credentials": storage.options.get("credentials"), **({} if "staging" in speech.options else found)}
    return replace(speech, options={**{name: value for name, value in usual.items() if value}, **speech.options})


def _vectors(vectors: Dsn, database: Dsn, space: str, dimension: int) -> Dsn:
    """`pgvector://` without a host means the catalog's own database."""
    if vectors.scheme == "pgvector" and not vectors.host:
        vectors = replace(database, scheme="pgvector", options=vectors.options)
    return replace(vectors, options={**vectors.options, "space": space, "dimension": str(dimension)})
