"""A piece that is too long to be heard at once: put into a bucket, heard there by an operation, taken out again."""

import hashlib
from collections.abc import Callable, Sequence

from google.cloud.speech_v2.types import cloud_speech
from google.protobuf.json_format import ParseError

from biblio.adapters.speech.google_operations import Ended, FileResult, Operations, Request
from biblio.adapters.speech.google_staging import Staging
from biblio.adapters.speech.pieces import Piece
from biblio.domain.rate_limit import RateLimit
from biblio.errors import AdapterError, Unavailable
from biblio.ports.call import CallContext

Results = Sequence[cloud_speech.SpeechRecognitionResult]
Found = cloud_speech.BatchRecognizeResults
OnProgress = Callable[[float], None]


class Batch:
    """The pieces of one sound. Each is begun once, noted, and paid for once, whoever dies meanwhile."""

    def __init__(
        self, operations: Operations, staging: Staging, limit: RateLimit, call: CallContext, *, results_in_bucket: bool
    ) -> None:
        self._operations, self._staging, self._limit, self._call = operations, staging, limit, call
        self._results_in_bucket = results_in_bucket
        self._unkept: dict[float, str] = {}

    def hear(
        self, piece: Piece, recognizer: str, config: cloud_speech.RecognitionConfig, on_progress: OnProgress
    ) -> Results:
        """Raises as `pieces.Service`. What failed for good is removed; what may yet be taken up again stays."""
        uri = self._staging.audio(piece.sound)
        request = self._request(recognizer, config, uri)
        note = f"google/{hashlib.sha256(Request.serialize(request)).hexdigest()[:20]}"
        noted = self._call.recall(note)
        results = self._of(self._operations.end(noted, uri, on_progress), piece) if noted else None
        if results is None:
            results = self._anew(piece, request, note, uri, on_progress)
        self._staging.remove(uri)
        return results

    def kept(self, until: float) -> None:
        """The words of the piece that ends there are in safety: nobody asks for its results again."""
        uri = self._unkept.pop(until, None)
        if uri:
            self._staging.remove(uri)

    def _anew(self, piece: Piece, request: Request, note: str, uri: str, on_progress: OnProgress) -> Results:
        is_new = self._staging.put(uri, piece.sound)
        lost = None if is_new else self._operations.find(request)
        results = self._of(self._waited(lost, note, uri, on_progress), piece) if lost else None
        if results is not None:
            return results
        with self._call.admit(self._limit, piece.seconds):
            ended = self._waited(self._begin(request, uri), note, uri, on_progress)
            results = self._of(ended, piece)
            if results is None:
                self._staging.remove(uri)
                raise ended.failure or Unavailable("Google's results are damaged, or not where it says.")
        return results

    def _begin(self, request: Request, uri: str) -> str:
        try:
            return self._operations.begin(request)
        except AdapterError as error:
            if not error.retryable:
                self._staging.remove(uri)
            raise

    def _waited(self, name: str, note: str, uri: str, on_progress: OnProgress) -> Ended:
        self._call.note(note, name)
        return self._operations.end(name, uri, on_progress)

    def _request(self, recognizer: str, config: cloud_speech.RecognitionConfig, uri: str) -> Request:
        where = (
            {"gcs_output_config": {"uri": self._staging.results()}}
            if self._results_in_bucket
            else {"inline_response_config": {}}
        )
        return Request(recognizer=recognizer, config=config, files=[{"uri": uri}], recognition_output_config=where)

    def _of(self, ended: Ended, piece: Piece) -> Results | None:
        """None where there are none."""
        if ended.result is None:
            return None
        uri = ended.result.cloud_storage_result.uri or ended.result.uri
        if uri:
            return self._read(uri, piece)
        inline: FileResult = ended.result
        return (inline.inline_result.transcript or inline.transcript).results

    def _read(self, uri: str, piece: Piece) -> Results | None:
        """Half of them are none."""
        content = self._staging.read(uri)
        if content is None:
            return None
        self._unkept[piece.end] = uri
        try:
            text = content.decode()
            found: Found = cloud_speech.BatchRecognizeResults.from_json(text, ignore_unknown_fields=True)
        except (ParseError, UnicodeDecodeError):
            self._staging.remove(uri)
            return None
        return found.results
