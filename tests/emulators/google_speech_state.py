"""What the emulated Google Speech holds and counts, and how it is told to misbehave."""

import threading
from collections import Counter
from dataclasses import dataclass, field

import grpc
from google.cloud.speech_v2.types import cloud_speech
from google.longrunning import operations_pb2
from google.rpc import status_pb2

from tests.emulators.gcs import Gcs
from tests.emulators.hearing import Ear

STAGING = "staged-speech"


@dataclass
class Wrong:
    """Fail the next `times` calls of `method` with `code`, after `seconds`; with no code it is only slow.

    `retry_after`: seconds, in a RetryInfo. `does` what is asked all the same, before it is slow or fails.
    """

    method: str
    code: grpc.StatusCode | None = None
    times: int = 1
    seconds: float = 0.0
    retry_after: float | None = None
    does: bool = False


@dataclass
class Operation:
    """`begun` in monotonic seconds."""

    name: str
    request: cloud_speech.BatchRecognizeRequest
    begun: float
    answer: operations_pb2.Operation | None = None


@dataclass
class GoogleSpeech:
    """`address` is what a program in any process on this machine needs.

    `spoken` is what everybody speaks, unless there is an `ear` that really hears. `calls` and `batches`: how often each
    sound (by its sha256) was to be heard, at once or in an operation. `operation_seconds`: how long one takes.
    `file_errors` are what the files of the next operations fail of; so many `halves` of answers are given next: without
    what they are about. `word_times` and `says_language`: what the answers have.
    """

    gcs: Gcs
    port: int = 0
    spoken: str = "ko-KR"
    ear: Ear | None = None
    operation_seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    batches: Counter[str] = field(default_factory=Counter)
    asked: list[cloud_speech.RecognitionConfig] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)
    wrongs: list[Wrong] = field(default_factory=list)
    file_errors: list[status_pb2.Status] = field(default_factory=list)
    halves: int = 0
    word_times: bool = True
    says_language: bool = True
    operations: dict[str, Operation] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def address(self) -> str:
        staged = f"staging=gs://{STAGING}&staging_endpoint={self.gcs.url}&credentials={self.gcs.key_file}"
        return f"{self.unstaged}&{staged}"

    @property
    def unstaged(self) -> str:
        """Without a bucket."""
        return f"google://lectures/us-central1?endpoint=127.0.0.1:{self.port}&insecure=true"

    @property
    def staged(self) -> dict[str, bytes]:
        """What lies in the bucket."""
        return {name: held.content for name, held in self.gcs.buckets[STAGING].objects.items()}

    @property
    def paid(self) -> Counter[str]:
        """How often each sound was paid for."""
        return self.calls + self.batches
