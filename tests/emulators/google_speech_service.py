"""The calls of the emulated Google Speech, and its operations."""

import hashlib
import re
import time
from collections.abc import Callable
from typing import Any

import av
import grpc
from google.cloud.location import locations_pb2
from google.cloud.speech_v2.types import LocationsMetadata, cloud_speech
from google.longrunning import operations_pb2
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from tests.emulators.google_ear import VOCABULARY, Sound, heard, listen, results, said
from tests.emulators.google_speech_state import GoogleSpeech, Operation, Wrong

MODELS = ("chirp_2", "chirp_3", "long")
LARGEST, LONGEST = 10_000_000, 60.0
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|\d{3})")
_RECOGNIZER = re.compile(r"projects/[a-z0-9-]+/locations/[a-z0-9-]+/recognizers/_")

Answer = Callable[[Any, Any], Any]
Methods = dict[str, tuple[Answer, Any, Any]]


class Servicer:
    """Each method answers one call, and aborts it where it must."""

    def __init__(self, emulator: GoogleSpeech) -> None:
        self._emulator = emulator

    def recognize(self, request: cloud_speech.RecognizeRequest, context: Any) -> cloud_speech.RecognizeResponse:
        self._check(request.recognizer, request.config, context)
        if len(request.content) > LARGEST:
            _refuse(context, "Request payload size exceeds the limit: 10485760 bytes.")
        sound = self._sound(request.content, context)
        if sound.seconds > LONGEST:
            _refuse(context, "Audio can be of a maximum of 60 seconds.")
        with self._emulator.lock:
            self._emulator.calls[_sha(request.content)] += 1
        return cloud_speech.RecognizeResponse(results=self._hear(request.content, request.config))

    def batch_recognize(self, request: cloud_speech.BatchRecognizeRequest, context: Any) -> operations_pb2.Operation:
        self._check(request.recognizer, request.config, context)
        if len(request.files) != 1:
            _refuse(context, "Inline output is for one file.")
        content = self._object(request.files[0].uri)
        with self._emulator.lock:
            number = len(self._emulator.operations) + 1
            name = f"{request.recognizer.partition('/recognizers')[0]}/operations/{number}"
            operation = Operation(name, request, time.monotonic())
            self._emulator.operations[name] = operation
            if content is not None:
                self._emulator.batches[_sha(content)] += 1
        return self._state(operation)

    def get_operation(self, request: operations_pb2.GetOperationRequest, context: Any) -> operations_pb2.Operation:
        operation = self._emulator.operations.get(request.name)
        if operation is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "Operation not found.")
            raise AssertionError
        return self._state(operation)

    def list_operations(
        self, request: operations_pb2.ListOperationsRequest, context: Any
    ) -> operations_pb2.ListOperationsResponse:
        newest = reversed(self._emulator.operations.values())
        return operations_pb2.ListOperationsResponse(operations=[self._state(one) for one in newest])

    def get_location(self, request: locations_pb2.GetLocationRequest, context: Any) -> locations_pb2.Location:
        offered: dict[str, Any] = {
            "models": {tag: {"model_features": {name: {} for name in MODELS}} for tag in VOCABULARY}
        }
        metadata = _packed(LocationsMetadata(languages=offered))
        return locations_pb2.Location(name=request.name, metadata=metadata)

    def _check(self, recognizer: str, config: cloud_speech.RecognitionConfig, context: Any) -> None:
        self._emulator.asked.append(config)
        if not _RECOGNIZER.fullmatch(recognizer):
            _refuse(context, "Invalid recognizer.")
        if config.model not in (*MODELS, "latest_long"):
            _refuse(context, f'The model "{config.model}" does not exist in the location.')
        tags = list(config.language_codes)
        may_detect = tags == ["auto"] and config.model.startswith("chirp")
        if not may_detect and not (tags and all(_TAG.fullmatch(tag) for tag in tags)):
            _refuse(context, f"The language {tags} is not supported by the model.")

    def _sound(self, content: bytes, context: Any) -> Sound:
        try:
            return listen(content)
        except av.FFmpegError:
            _refuse(context, "Audio data does not appear to be in a supported encoding.")
            raise

    def _hear(
        self, content: bytes, config: cloud_speech.RecognitionConfig
    ) -> list[cloud_speech.SpeechRecognitionResult]:
        """Of several candidates the one that is spoken, else the first."""
        tags, emulator = list(config.language_codes), self._emulator
        spoken, words = emulator.spoken, None
        if emulator.ear:
            asked = None if tags == ["auto"] or len(tags) > 1 else tags[0].partition("-")[0]
            found, language = emulator.ear(content, asked)
            spoken = next((tag for tag in (*tags, *VOCABULARY) if tag.partition("-")[0] == language), language)
            words = heard(found)
        tag = spoken if tags == ["auto"] or spoken in tags else tags[0]
        times = emulator.word_times and config.features.enable_word_time_offsets
        words = said(listen(content), tag) if words is None else words
        return results(words, tag, times=times, says_language=emulator.says_language)

    def _state(self, operation: Operation) -> operations_pb2.Operation:
        took, seconds = time.monotonic() - operation.begun, self._emulator.operation_seconds
        with self._emulator.lock:
            if took >= seconds:
                operation.answer = operation.answer or self._done(operation)
                return operation.answer
        return operations_pb2.Operation(name=operation.name, metadata=_about(operation, int(100 * took / seconds)))

    def _done(self, operation: Operation) -> operations_pb2.Operation:
        uri = operation.request.files[0].uri
        done = operations_pb2.Operation(name=operation.name, metadata=_about(operation, 100), done=True)
        response = cloud_speech.BatchRecognizeResponse()
        if self._emulator.halves:
            self._emulator.halves -= 1
        else:
            response.results[uri] = self._file_result(operation)
        done.response.CopyFrom(_packed(response))
        return done

    def _file_result(self, operation: Operation) -> cloud_speech.BatchRecognizeFileResult:
        request = operation.request
        content = self._object(request.files[0].uri)
        if self._emulator.file_errors:
            return cloud_speech.BatchRecognizeFileResult(error=self._emulator.file_errors.pop(0))
        if content is None:
            missing = status_pb2.Status(code=5, message=f"{request.files[0].uri} not found")
            return cloud_speech.BatchRecognizeFileResult(error=missing)
        found = cloud_speech.BatchRecognizeResults(results=self._hear(content, request.config))
        output = request.recognition_output_config
        if not output.gcs_output_config.uri:
            return cloud_speech.BatchRecognizeFileResult(inline_result={"transcript": found})
        place = f"{output.gcs_output_config.uri}/audio_transcript_{operation.name.rpartition('/')[2]}.json"
        bucket, _, name = place.removeprefix("gs://").partition("/")
        text = cloud_speech.BatchRecognizeResults.to_json(found)
        self._emulator.gcs.buckets[bucket].put(name, text.encode(), "application/json")
        return cloud_speech.BatchRecognizeFileResult(cloud_storage_result={"uri": place})

    def _object(self, uri: str) -> bytes | None:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        held = self._emulator.gcs.buckets[bucket].objects.get(name)
        return held.content if held else None

    def misbehaving(self, method: str, answer: Answer) -> Answer:
        """As it was ordered."""

        def call(request: Any, context: Any) -> Any:
            with self._emulator.lock:
                self._emulator.methods[method] += 1
                due = (one for one in self._emulator.wrongs if one.times and one.method == method)
                wrong = next(due, None)
                if wrong:
                    wrong.times -= 1
            does = wrong is None or wrong.does or wrong.code is None
            done = answer(request, context) if does else None
            if wrong:
                time.sleep(wrong.seconds)
            if wrong and wrong.code:
                _abort(context, wrong)
            return done

        return call


def _abort(context: Any, wrong: Wrong) -> None:
    assert wrong.code is not None
    status = status_pb2.Status(code=wrong.code.value[0], message="as ordered")
    if wrong.retry_after is not None:
        delay = Duration(seconds=int(wrong.retry_after), nanos=round(wrong.retry_after % 1 * 1e9))
        packed = status.details.add()
        packed.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(wrong.code, status.message)


def _refuse(context: Any, why: str) -> None:
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, why)


def _about(operation: Operation, percent: int) -> Packed:
    files = {operation.request.files[0].uri: {"progress_percent": percent}}
    return _packed(
        cloud_speech.OperationMetadata(
            method="google.cloud.speech.v2.Speech.BatchRecognize",
            batch_recognize_request=operation.request,
            progress_percent=percent,
            batch_recognize_metadata={"transcription_metadata": files},
        )
    )


def _packed(message: Any) -> Packed:
    found = Packed()
    found.Pack(type(message).pb(message))
    return found


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def handlers(emulator: GoogleSpeech) -> tuple[grpc.GenericRpcHandler, ...]:
    """The library has no servicer for v2; the paths are those its client calls."""
    calls = Servicer(emulator)
    speech: Methods = {
        "Recognize": (calls.recognize, cloud_speech.RecognizeRequest.deserialize, _bytes),
        "BatchRecognize": (calls.batch_recognize, cloud_speech.BatchRecognizeRequest.deserialize, _bytes),
    }
    operations: Methods = {
        "GetOperation": (calls.get_operation, operations_pb2.GetOperationRequest.FromString, _bytes),
        "ListOperations": (calls.list_operations, operations_pb2.ListOperationsRequest.FromString, _bytes),
    }
    locations: Methods = {"GetLocation": (calls.get_location, locations_pb2.GetLocationRequest.FromString, _bytes)}
    services = {
        "google.cloud.speech.v2.Speech": speech,
        "google.longrunning.Operations": operations,
        "google.cloud.location.Locations": locations,
    }
    return tuple(
        grpc.method_handlers_generic_handler(
            service,
            {
                method: grpc.unary_unary_rpc_method_handler(calls.misbehaving(method, answer), take, give)
                for method, (answer, take, give) in methods.items()
            },
        )
        for service, methods in services.items()
    )


def _bytes(message: Any) -> bytes:
    """Of a message of either library."""
    plain = type(message).pb(message) if hasattr(type(message), "pb") else message
    content: bytes = plain.SerializeToString()
    return content
