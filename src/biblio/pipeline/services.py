"""What a use case may ask for. Built once per process, in bootstrap."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from biblio.domain.hearing import HeardBy
from biblio.domain.passages import SCHEME
from biblio.errors import InvalidInput
from biblio.ports.audio import AudioExtractor
from biblio.ports.catalog import Catalog
from biblio.ports.embedder import Embedder
from biblio.ports.limiter import Limiter
from biblio.ports.meter import Meter, Silent
from biblio.ports.queue import JobQueue
from biblio.ports.speech import SpeechEngine
from biblio.ports.storage import Storage
from biblio.ports.tracer import Tracer, Untraced
from biblio.ports.vectors import VectorStore


@dataclass(frozen=True)
class Limits:
    """What a user may do, and what a worker must. Sizes in bytes; files above `multipart_threshold` come in parts.

    `upload_seconds` and `download_seconds` are how long a signed URL lives, `upload_lifetime` (seconds) how long an
    upload may take as a whole. `most_stored` (bytes; None: no limit) and `most_uploads` (open at once) are a user's.
    `most_transcribed` (seconds of sound in a calendar month, UTC; None: no limit) too. A worker that is told to stop
    has `stop_seconds` for what it is at.
    """

    largest_file: int = 5 * 1024**3
    multipart_threshold: int = 100 * 1024**2
    upload_seconds: int = 300
    upload_lifetime: int = 7 * 24 * 3600
    download_seconds: int = 3600
    most_stored: int | None = None
    most_uploads: int = 1000
    most_transcribed: float | None = None
    stop_seconds: float = 25.0


@dataclass(frozen=True)
class Services:
    """`recognisers`: the engines that `speech` is made of, by name, where it is made of several."""

    catalog: Catalog
    storage: Storage
    queue: JobQueue
    audio: AudioExtractor
    speech: SpeechEngine
    embedder: Embedder
    vectors: VectorStore
    limiter: Limiter
    limits: Limits
    meter: Meter = Silent()
    tracer: Tracer = Untraced()
    recognisers: Mapping[str, SpeechEngine] = field(default_factory=dict)

    def hearers(self, model: str | None) -> frozenset[HeardBy]:
        """Who may hear what is asked of `model`, also by the names that they had before there were several."""
        named = [(self.speech.name, self.speech)]
        for name, engine in self.recognisers.items():
            named += [(name, engine), (engine.name, engine)]
        found = set()
        for name, engine in named:
            with suppress(InvalidInput):
                found.add(HeardBy(name, engine.model_name(model)))
        return frozenset(found)

    @property
    def space(self) -> str:
        """Names all that makes a vector: engine, model, revision, dimension, and what text goes into it."""
        return space_of(self.embedder)


def space_of(embedder: Embedder) -> str:
    return f"{embedder.space}+{SCHEME}"
