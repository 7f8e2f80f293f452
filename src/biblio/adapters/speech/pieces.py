"""Speech by a service that hears one piece a call: cut at silences, sent side by side, joined in order."""

import json
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Protocol

import av
import numpy as np

from biblio.adapters.speech.sound import RATE, Samples, end_of, is_silent, stretches
from biblio.adapters.speech.words import in_order
from biblio.domain.rate_limit import RateLimit
from biblio.domain.transcript import Word
from biblio.errors import AdapterError, BiblioError, Unavailable
from biblio.ports.call import CallContext
from biblio.ports.speech import Heard

TICK = 1.0
"""Seconds between two signs of life while a call is waited for."""
JUST_NOW = 0.2
"""Seconds for an answer that has come to be read, when no more of the sound is wanted."""


@dataclass(frozen=True)
class Piece:
    """`sound` is FLAC, 16 kHz, one channel; `start` and `end` are its place in the whole sound, in seconds."""

    start: float
    end: float
    sound: bytes = field(repr=False)

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Recognised:
    """Words with times from the beginning of the piece, in seconds; `language` as ISO 639-1, '' without speech."""

    words: tuple[Word, ...]
    language: str


class Service(Protocol):
    """`longest` seconds of a piece (600 at most); `parallel` calls of one sound at once."""

    longest: int
    parallel: int

    def recognise(
        self,
        piece: Piece,
        language: str | None,
        model: str,
        call: CallContext,
        on_progress: Callable[[float], None],
    ) -> Recognised:
        """One call, as `call` admits it. `on_progress` (0 to 1) raises where nobody wants the piece any more.

        Raises as `SpeechEngine.transcribe`, and `RateLimited`.
        """


def hear(
    service: Service, audio: Path, language: str | None, model: str, since: float, call: CallContext
) -> Generator[Heard, None, None]:
    """See `SpeechEngine.transcribe`. Until the language is known, one piece goes alone."""
    room = _Room(service, model, call, language)
    try:
        for piece in _pieces(audio, service.longest, since):
            yield from room.take(piece)
        yield from room.drain(0)
    finally:
        room.close()


class _Room:
    """Pieces that are being heard, in order."""

    def __init__(self, service: Service, model: str, call: CallContext, language: str | None) -> None:
        self._service, self._model = service, model
        self._asked, self._spoken = language, ""
        self._pool = ThreadPoolExecutor(service.parallel, thread_name_prefix="speech")
        self._heard: deque[tuple[Piece, Future[Recognised], _Progress]] = deque()
        self._closed = Event()
        self._call = _WantedCall(call, self._closed)

    def take(self, piece: Piece | tuple[float, float]) -> Generator[Heard, None, None]:
        """Begin a piece, once there is room for it. A silent one, of which only the times are given, costs nothing."""
        if isinstance(piece, tuple):
            yield from self.drain(0)
            yield Heard((), piece[1], self._spoken, ends_piece=True)
            return
        knows = bool(self._asked or self._spoken)
        yield from self.drain(self._service.parallel - 1 if knows else 0)
        progress = _Progress(self._closed)
        language = self._asked or self._spoken or None
        self._heard.append((piece, self._begin(piece, language, progress), progress))
        if not knows:
            yield from self.drain(0)

    def drain(self, most: int) -> Generator[Heard, None, None]:
        """Let pieces end until at most so many are under way."""
        while len(self._heard) > most:
            piece, job, progress = self._heard[0]
            while not _is_done(job):
                yield Heard((), piece.start + progress.done * piece.seconds, self._spoken)
            self._heard.popleft()
            if (error := job.exception()) is not None:
                yield from self._await_the_rest(error, piece.start)
                raise error
            said = job.result()
            if said.words:
                self._spoken = self._spoken or said.language
            yield Heard(_placed(said.words, piece), piece.end, self._spoken, ends_piece=True)
            self._forget(piece)

    def _begin(self, piece: Piece, language: str | None, progress: "_Progress") -> Future[Recognised]:
        noted = self._call.recall(_name(piece, self._model, language))
        if noted is None:
            return self._pool.submit(self._service.recognise, piece, language, self._model, self._call, progress)
        done = Future[Recognised]()
        done.set_result(_read(noted))
        return done

    def _forget(self, piece: Piece) -> None:
        """What is kept in its place need not be noted."""
        name = _name(piece, self._model, self._asked or self._spoken or None)
        if self._call.recall(name) is not None:
            self._call.note(name, "")

    def _await_the_rest(self, error: BaseException, here: float) -> Generator[Heard, None, None]:
        """What was begun behind a piece that failed is paid for: where that is tried again, so is it known then."""
        if not isinstance(error, AdapterError) or not error.retryable:
            return
        for _, job, _ in self._heard:
            while not (job.cancel() or _is_done(job)):
                yield Heard((), here, self._spoken)

    def close(self) -> None:
        """What waits is not begun; what is under way hears of it at its next sign of life; answers that are here are
        noted for whoever hears the sound next."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        language = self._asked or self._spoken or None
        wait([job for _, job, _ in self._heard], timeout=JUST_NOW)
        for piece, job, _ in self._heard:
            if job.done() and not job.cancelled() and job.exception() is None:
                with suppress(BiblioError):  # whose step is another's, or whose catalog is away, pays again
                    self._call.note(_name(piece, self._model, language), _written(job.result()))


class _WantedCall:
    """No call is made for a sound that nobody waits for any more, though its turn has come."""

    def __init__(self, call: CallContext, closed: Event) -> None:
        self._call, self._closed = call, closed
        self.recall, self.note = call.recall, call.note

    @contextmanager
    def admit(self, limit: RateLimit, units: float) -> Iterator[None]:
        with self._call.admit(limit, units):
            _require_wanted(self._closed)
            yield


class _Progress:
    def __init__(self, closed: Event) -> None:
        self.done = 0.0
        self._closed = closed

    def __call__(self, done: float) -> None:
        _require_wanted(self._closed)
        self.done = min(1.0, max(self.done, done))


def _require_wanted(closed: Event) -> None:
    if closed.is_set():
        raise Unavailable("Nobody waits for this piece any more.", code="NOT_WANTED")


def _name(piece: Piece, model: str, language: str | None) -> str:
    """Under which what was heard is noted."""
    return f"heard {piece.start:.4f}-{piece.end:.4f} {model} {language}"


def _written(said: Recognised) -> str:
    return json.dumps([said.language, [[word.text, word.start, word.end] for word in said.words]], ensure_ascii=False)


def _read(noted: str) -> Recognised:
    language, words = json.loads(noted)
    return Recognised(tuple(Word(*word) for word in words), language)


def _is_done(job: Future[Recognised]) -> bool:
    try:
        job.exception(timeout=TICK)
    except NotYet:
        return False
    return True


def _pieces(audio: Path, longest: int, since: float) -> Iterator[Piece | tuple[float, float]]:
    for start, samples in stretches(audio, longest, since):
        end = end_of(start, samples)
        yield (start, end) if is_silent(samples) else Piece(start, end, _flac(samples))


def _placed(words: tuple[Word, ...], piece: Piece) -> tuple[Word, ...]:
    moved = (Word(word.text, word.start + piece.start, word.end + piece.start) for word in words)
    return in_order(moved, piece.start, piece.end)


def _flac(samples: Samples) -> bytes:
    """Lossless: what was cut is what is heard."""
    file = BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        pulses = np.round(samples * 32768.0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pulses[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
