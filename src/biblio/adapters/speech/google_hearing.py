"""One sound at Google Speech: short pieces are heard at once, longer ones by operations on objects in a bucket."""

from collections.abc import Callable
from dataclasses import dataclass

from google.cloud.speech_v2.types import cloud_speech

from biblio.adapters.speech.google_batch import Batch, Results
from biblio.adapters.speech.google_clients import Clients
from biblio.adapters.speech.google_errors import translated
from biblio.adapters.speech.google_languages import Candidates
from biblio.adapters.speech.google_operations import Operations
from biblio.adapters.speech.google_staging import Place, Staging
from biblio.adapters.speech.google_words import recognised
from biblio.adapters.speech.pieces import Piece, Recognised
from biblio.domain.rate_limit import RateLimit
from biblio.errors import TooLarge
from biblio.ports.call import CallContext

AT_ONCE_SECONDS, AT_ONCE_BYTES = 60.0, 10_000_000
"""What `Recognize` takes. Beyond, it is a matter of `BatchRecognize`."""
LONGEST_AT_ONCE = 55
"""Seconds of a piece where there is no bucket."""


@dataclass(frozen=True)
class Manner:
    """How pieces are heard. `staging` None: only at once. `longest` piece, `timeout` of a call and `patience` with an
    operation in seconds. `results_in_bucket`: Google writes its results there, instead of answering with them."""

    limit: RateLimit
    longest: int
    parallel: int
    timeout: float
    patience: float
    word_times: bool
    staging: Place | None
    results_in_bucket: bool


class Hearing:
    """See `pieces.Service`. Of one sound, on behalf of one `call`."""

    def __init__(self, clients: Clients, manner: Manner, candidates: Candidates, call: CallContext) -> None:
        self.longest, self.parallel = manner.longest, manner.parallel
        self._clients, self._manner, self._candidates = clients, manner, candidates
        self._recognizer = f"{clients.target.parent}/recognizers/_"
        self._batch = _batch(clients, manner, manner.staging, call) if manner.staging else None

    def recognise(
        self,
        piece: Piece,
        language: str | None,
        model: str,
        call: CallContext,
        on_progress: Callable[[float], None],
    ) -> Recognised:
        tags = self._candidates.tags(language)
        config = self._config(model, tags)
        if piece.seconds <= AT_ONCE_SECONDS and len(piece.sound) <= AT_ONCE_BYTES:
            results = self._at_once(piece, config, call)
        elif self._batch:
            results = self._batch.hear(piece, self._recognizer, config, on_progress)
        else:
            raise TooLarge("So much sound at once needs a bucket: see `staging`.")
        return recognised(results, tags, piece.seconds)

    def kept(self, until: float) -> None:
        """The words of the piece that ends there are in safety."""
        if self._batch:
            self._batch.kept(until)

    def _config(self, model: str, tags: list[str]) -> cloud_speech.RecognitionConfig:
        features = cloud_speech.RecognitionFeatures(
            enable_word_time_offsets=self._manner.word_times, enable_automatic_punctuation=True
        )
        return cloud_speech.RecognitionConfig(
            auto_decoding_config=cloud_speech.AutoDetectDecodingConfig(),
            model=model,
            language_codes=tags,
            features=features,
        )

    def _at_once(self, piece: Piece, config: cloud_speech.RecognitionConfig, call: CallContext) -> Results:
        request = cloud_speech.RecognizeRequest(recognizer=self._recognizer, config=config, content=piece.sound)
        with call.admit(self._manner.limit, piece.seconds), translated():
            return self._clients.speech.recognize(request, retry=None, timeout=self._manner.timeout).results


def _batch(clients: Clients, manner: Manner, place: Place, call: CallContext) -> Batch:
    operations = Operations(clients, manner.timeout, manner.patience)
    staging = Staging(clients, place, call, manner.timeout)
    return Batch(operations, staging, manner.limit, call, results_in_bucket=manner.results_in_bucket)
