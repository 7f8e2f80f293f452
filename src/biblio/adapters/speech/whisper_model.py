"""One Whisper model in memory. Imports what is heavy, so only `whisper.py` imports it, in the process that listens."""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel

from biblio.adapters.speech.sound import RATE, end_of, stretches
from biblio.adapters.speech.whisper_names import iso_code
from biblio.adapters.speech.words import in_order, whole
from biblio.domain.transcript import Word
from biblio.errors import AdapterError, Misconfigured, Unavailable
from biblio.ports.speech import Heard

_OUT_OF_MEMORY = ("out of memory", "bad_alloc", "cannot allocate")


@dataclass(frozen=True)
class Hardware:
    """Where and how a model runs, in faster-whisper's own words; 0 threads lets it choose."""

    device: str
    compute_type: str
    threads: int
    batch_size: int


class Recogniser:
    """Raises `Misconfigured` when the model cannot run here, `Unavailable` OUT_OF_MEMORY."""

    def __init__(self, weights: Path, hardware: Hardware) -> None:
        with our_errors(Misconfigured(f"The speech model in {weights} cannot be loaded", code="MODEL_UNUSABLE")):
            self._model = WhisperModel(
                str(weights),
                device=hardware.device,
                compute_type=hardware.compute_type,
                cpu_threads=hardware.threads,
            )
        self._batch_size = hardware.batch_size
        self._process = os.getpid()

    def hear(self, audio: Path, language: str | None, beam_size: int, since: float) -> Generator[Heard, None, None]:
        """Whisper's own code or None for `language`. Once detected, a language holds for the rest of the sound.

        Nothing of a piece shows in the next: neither times nor words, only the language. So one may begin at any piece.
        A batch (up to `batch_size` times half a minute of speech) cannot be interrupted, nor can the search for speech
        and the detection of the language before it.
        """
        self._refuse_other_process()
        spoken = ""
        with our_errors(Unavailable("The speech model failed")):
            for start, samples in stretches(audio, since=since):
                length, end = len(samples) / RATE, end_of(start, samples)
                segments, info = self._listen(samples, language, beam_size)
                del samples  # 38 MB that are not needed while ten minutes are being recognised.
                earliest = start
                for segment, latest in _followed(segments, length):
                    words = in_order(_words(segment, latest, start), earliest, end)
                    if words:
                        language, spoken, earliest = info.language, iso_code(info.language), words[-1].start
                        yield Heard(words, words[-1].end, spoken)
                yield Heard((), end, spoken, ends_piece=True)

    def try_out(self) -> None:
        """Run the whole model once over a second of silence."""
        self._refuse_other_process()
        with our_errors(Unavailable("The speech model failed")):
            second = np.zeros(RATE, dtype=np.float32)
            list(self._listen(second, "en", beam_size=1, vad_filter=False, max_new_tokens=4)[0])

    def _listen(self, samples: Any, language: str | None, beam_size: int, **more: Any) -> tuple[Iterable[Any], Any]:
        # A new pipeline each time: it keeps the last word's time, and a closed generator would leave it to the next.
        pipeline = BatchedInferencePipeline(self._model)
        given = {"batch_size": self._batch_size, "word_timestamps": True, "vad_filter": True, **more}
        listened: tuple[Iterable[Any], Any] = pipeline.transcribe(
            samples, language=language, beam_size=beam_size, **given
        )
        return listened

    def _refuse_other_process(self) -> None:
        # Its threads do not live on in a forked child, where it would wait for them for ever (faster-whisper#907).
        if os.getpid() != self._process:
            raise Misconfigured("The speech model was loaded before this process was forked.", code="MODEL_UNUSABLE")


def _followed(segments: Iterable[Any], end: float) -> Iterator[tuple[Any, float]]:
    """Each segment, and when the next one starts: the last of them is followed by the end."""
    before = None
    for segment in segments:
        if before is not None:
            yield before, float(segment.start)
        before = segment
    if before is not None:
        yield before, end


def _words(segment: Any, latest: float, offset: float) -> list[Word]:
    """All that a segment says, `offset` seconds later: after a broken character faster-whisper leaves out the rest."""
    words = [Word(word.word, float(word.start), float(word.end)) for word in segment.words or ()]
    complete = whole(words, segment.text, float(segment.start), latest)
    return [Word(word.text, offset + word.start, offset + word.end) for word in complete]


@contextmanager
def our_errors(otherwise: AdapterError) -> Iterator[None]:
    """The one table from CTranslate2's errors to ours. It knows only RuntimeError, ValueError and their texts."""
    try:
        yield
    except (RuntimeError, ValueError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError) or any(sign in text.lower() for sign in _OUT_OF_MEMORY):
            raise Unavailable("There is not enough memory for this speech model.", code="OUT_OF_MEMORY") from error
        raise type(otherwise)(f"{otherwise.message}: {text}", code=otherwise.code) from error
