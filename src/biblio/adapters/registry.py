"""Every product biblio can stand on: one line each. An address's scheme picks it."""

import warnings
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from biblio.dsn import Dsn
from biblio.errors import Misconfigured

# port → scheme → (module, extra that brings its library; None where the core install has it)
ADAPTERS: dict[str, dict[str, tuple[str, str | None]]] = {
    "catalog": {"postgresql+psycopg": ("biblio.adapters.catalog.postgresql", None)},
    "storage": {
        "s3": ("biblio.adapters.storage.s3", None),
        "gs": ("biblio.adapters.storage.gcs", "google"),
    },
    "queue": {
        "redis": ("biblio.adapters.queue.celery_queue", None),
        "rediss": ("biblio.adapters.queue.celery_queue", None),
        "amqp": ("biblio.adapters.queue.celery_queue", None),
        "amqps": ("biblio.adapters.queue.celery_queue", None),
    },
    "limiter": {
        "redis": ("biblio.adapters.limiter.token_bucket", None),
        "rediss": ("biblio.adapters.limiter.token_bucket", None),
    },
    "speech": {
        "google": ("biblio.adapters.speech.google", "google"),
        "whisper": ("biblio.adapters.speech.whisper", None),
        "openai": ("biblio.adapters.speech.openai", "openai"),
        "scripted": ("biblio.adapters.speech.scripted", None),
    },
    "embedder": {
        "use": ("biblio.adapters.embedder.use", None),
        "e5": ("biblio.adapters.embedder.e5", "e5"),
        "openai": ("biblio.adapters.embedder.openai", "openai"),
        "google": ("biblio.adapters.embedder.google", "google"),
    },
    "vectors": {
        "pgvector": ("biblio.adapters.vectors.pgvector", None),
        "pinecone": ("biblio.adapters.vectors.pinecone", "pinecone"),
        "qdrant": ("biblio.adapters.vectors.qdrant", "qdrant"),
        "qdrants": ("biblio.adapters.vectors.qdrant", "qdrant"),
        "weaviate": ("biblio.adapters.vectors.weaviate", "weaviate"),
        "weaviates": ("biblio.adapters.vectors.weaviate", "weaviate"),
    },
    "audio": {"ffmpeg": ("biblio.adapters.audio.ffmpeg", None)},
    "tracer": {
        "otlp": ("biblio.adapters.tracer.otlp", "tracing"),
        "otlps": ("biblio.adapters.tracer.otlp", "tracing"),
    },
}


def connect(port: str, dsn: Dsn) -> Any:
    """The adapter for an address, unconnected until it is used. Raises `Misconfigured`."""
    known = ADAPTERS[port]
    if dsn.scheme not in known:
        close = get_close_matches(dsn.scheme, known, n=1)
        hint = f" Did you mean '{close[0]}://'?" if close else ""
        raise Misconfigured(f"No {port} is known as '{dsn.scheme}://'.{hint} Known: {', '.join(sorted(known))}.")
    module, extra = known[dsn.scheme]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of what Google's libraries will need some day
            door = import_module(module).connect
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith("biblio"):
            raise
        raise Misconfigured(
            f"{dsn.scheme}:// needs the package '{error.name}': pip install 'biblio[{extra}]'.", code="MISSING_EXTRA"
        ) from error
    return door(dsn)
