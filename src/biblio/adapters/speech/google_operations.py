"""Long operations of Google Speech: begun once, waited for with back-off, and found again by their names."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.api_core.exceptions import NotFound
from google.cloud.speech_v2.types import cloud_speech
from google.longrunning.operations_pb2 import GetOperationRequest, ListOperationsRequest, Operation

from biblio.adapters.speech.google_clients import Clients
from biblio.adapters.speech.google_errors import of_status, translated
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

FIRST_WAIT, LONGEST_WAIT, GROWTH = 0.1, 10.0, 1.5
"""Seconds between two questions."""
SIGN_OF_LIFE = 1.0
MOST_PAGES = 5
"""Of a hundred operations each, newest first: one that was just lost is among them."""

Request = cloud_speech.BatchRecognizeRequest
FileResult = cloud_speech.BatchRecognizeFileResult


@dataclass(frozen=True)
class Ended:
    """One of both: what became of the file, or what it, or the operation, failed of."""

    result: FileResult | None = None
    failure: AdapterError | None = None


class Operations:
    """Every operation has one file. `patience` seconds are waited for one, in one attempt."""

    def __init__(self, clients: Clients, timeout: float, patience: float) -> None:
        self._clients, self._timeout, self._patience = clients, timeout, patience

    def begin(self, request: Request) -> str:
        """Its name. This is what costs."""
        with translated():
            future = self._clients.speech.batch_recognize(request, retry=None, timeout=self._timeout)
        return str(future.operation.name)

    def end(self, name: str, uri: str, on_progress: Callable[[float], None]) -> Ended:
        """Wait for it. May be asked again, and gives the same; an operation that Google has forgotten has failed.

        Raises `Unavailable` where Google can't be asked, and what `on_progress` raises: the operation goes on then.
        """
        until = time.monotonic() + self._patience
        for wait in _waits():
            operation = self._get(name)
            if operation is None:
                return Ended(failure=Unavailable(f"Google Speech has forgotten {name}."))
            if operation.done:
                return _ended(operation, uri)
            if time.monotonic() > until:
                break
            _rest(wait, _progress(operation), on_progress)
        raise Unavailable(f"Google Speech is not done with {name} after {self._patience:.0f} s.")

    def find(self, request: Request) -> str | None:
        """One that was begun for the same by who did not live to note its name."""
        try:
            for operation in self._all():
                begun = _metadata(operation).batch_recognize_request
                if not operation.HasField("error") and begun == request:
                    return str(operation.name)
        except (Misconfigured, Rejected):  # who may not look has to pay again
            return None
        return None

    def _all(self) -> Iterator[Operation]:
        ask = ListOperationsRequest(name=self._clients.target.parent, page_size=100)
        for _ in range(MOST_PAGES):
            with translated():
                page = self._clients.speech.list_operations(ask, retry=None, timeout=self._timeout)
            yield from page.operations
            if not page.next_page_token:
                return
            ask.page_token = page.next_page_token

    def _get(self, name: str) -> Operation | None:
        try:
            with translated():
                return self._asked(name)
        except RateLimited as busy:  # asking costs nothing: the quota of what does is not used up by it
            raise Unavailable(f"Google Speech does not say now how {name} is.") from busy

    def _asked(self, name: str) -> Operation | None:
        try:
            ask = GetOperationRequest(name=name)
            return self._clients.speech.get_operation(ask, retry=None, timeout=self._timeout)
        except NotFound:
            return None


def _ended(operation: Operation, uri: str) -> Ended:
    if operation.HasField("error"):
        return Ended(failure=of_status(operation.error))
    with translated():
        response = cloud_speech.BatchRecognizeResponse.deserialize(operation.response.value)
    if uri not in response.results:
        return Ended(failure=Unavailable(f"Google's answer in {operation.name} says nothing of its file."))
    result = response.results[uri]
    return Ended(failure=of_status(result.error)) if result.error.code else Ended(result)


def _waits() -> Iterator[float]:
    wait = FIRST_WAIT
    while True:
        yield wait
        wait = min(wait * GROWTH, LONGEST_WAIT)


def _rest(seconds: float, progress: float, on_progress: Callable[[float], None]) -> None:
    """With a sign of life every second."""
    until = time.monotonic() + seconds
    while True:
        on_progress(progress)
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, SIGN_OF_LIFE))


def _progress(operation: Operation) -> float:
    """0 to 1: of the operation, or of its file where that says more."""
    metadata = _metadata(operation)
    files = metadata.batch_recognize_metadata.transcription_metadata.values()
    return float(max([metadata.progress_percent, *(file.progress_percent for file in files)])) / 100


def _metadata(operation: Operation) -> cloud_speech.OperationMetadata:
    with translated():
        found: cloud_speech.OperationMetadata = cloud_speech.OperationMetadata.deserialize(operation.metadata.value)
    return found
