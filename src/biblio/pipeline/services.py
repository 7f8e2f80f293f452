"""What a use case may ask for. Built once per process, in bootstrap."""

from dataclasses import dataclass

from biblio.ports.audio import AudioExtractor
from biblio.ports.catalog import Catalog
from biblio.ports.embedder import Embedder
from biblio.ports.limiter import Limiter
from biblio.ports.queue import JobQueue
from biblio.ports.speech import SpeechEngine
from biblio.ports.storage import Storage
from biblio.ports.vectors import VectorStore


@dataclass(frozen=True)
class Limits:
    """`largest_file` in bytes; the others in seconds that a signed URL lives."""

    largest_file: int = 5 * 1024**3
    upload_seconds: int = 300
    download_seconds: int = 3600


@dataclass(frozen=True)
class Services:
    catalog: Catalog
    storage: Storage
    queue: JobQueue
    audio: AudioExtractor
    speech: SpeechEngine
    embedder: Embedder
    vectors: VectorStore
    limiter: Limiter
    limits: Limits
