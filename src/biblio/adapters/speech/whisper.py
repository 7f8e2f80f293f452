"""Speech on this machine: faster-whisper, one model in memory, voice-activity filter, batched.

whisper://<model>?device=&compute_type=&threads=&batch_size=&beam_size=&fast=&high_quality=&folder=
"""

from __future__ import annotations

from collections.abc import Generator
from difflib import get_close_matches
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from biblio.adapters.speech import weights
from biblio.adapters.speech.whisper_names import LANGUAGES, REPOSITORIES, is_english_only, whisper_code
from biblio.dsn import Dsn, Options
from biblio.errors import InvalidInput, Misconfigured
from biblio.ports.call import CallContext
from biblio.ports.speech import Heard, SpeechEngine

if TYPE_CHECKING:
    from biblio.adapters.speech.whisper_model import Recogniser

GREEDY, THOROUGH = 1, 5

ComputeType = Literal[
    "default",
    "auto",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]


class WhisperOptions(Options):
    """`threads` 0 lets the library choose. `folder` holds a model, or models by name."""

    device: Literal["auto", "cpu", "cuda"] = "cpu"
    compute_type: ComputeType = "int8"
    threads: int = Field(default=0, ge=0, le=256)
    batch_size: int = Field(default=8, ge=1, le=128)
    beam_size: int = Field(default=THOROUGH, ge=1, le=20)
    fast: str | None = None
    high_quality: str | None = None
    folder: Path | None = None


class _Choice(NamedTuple):
    model: str
    beam_size: int


def connect(dsn: Dsn) -> SpeechEngine:
    """Raises `Misconfigured` for an unknown model or option. Loads nothing."""
    options = dsn.read_options(WhisperOptions)
    for name in (dsn.host, options.fast, options.high_quality):
        if name is not None and name not in REPOSITORIES and not (name and options.folder):
            close = get_close_matches(name, REPOSITORIES, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise Misconfigured(f"whisper:// knows no model '{name}'.{hint} Known: {', '.join(REPOSITORIES)}.")
    return _Whisper(dsn.host, options)


class _Whisper:
    name = "faster-whisper"

    def __init__(self, model: str, options: WhisperOptions) -> None:
        self._options = options
        self._own = model
        beam = options.beam_size
        self._choices = {name: _Choice(name, beam) for name in REPOSITORIES} | {
            model: _Choice(model, beam),
            "fast": _Choice(options.fast, beam) if options.fast else _Choice(model, GREEDY),
            "high_quality": _Choice(options.high_quality or model, max(beam, THOROUGH)),
        }
        self._lock = Lock()
        self._loaded: tuple[str, Recogniser] | None = None

    def check(self, language: str | None, model: str | None) -> None:
        self._code(language, self._choose(model).model)

    def model_name(self, model: str | None) -> str:
        return self._choose(model).model

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,  # noqa: ARG002 - it costs nothing
    ) -> Generator[Heard, None, None]:
        choice = self._choose(model)
        code = self._code(language, choice.model)
        return self._hear(audio, code, choice, since)

    def _hear(self, audio: Path, language: str | None, choice: _Choice, since: float) -> Generator[Heard, None, None]:
        yield from self._recogniser(choice.model).hear(audio, language, choice.beam_size, since)

    def prepare(self) -> None:
        for model in {self._own, self.model_name("fast"), self.model_name("high_quality")}:
            self._weights(model)

    def ping(self) -> None:
        self._recogniser(self._own).try_out()

    def close(self) -> None:
        self._loaded = None

    def _choose(self, model: str | None) -> _Choice:
        choice = self._choices.get(self._own if model is None else model)
        if choice is None:
            known = ", ".join(["fast", "high_quality", *REPOSITORIES])
            raise InvalidInput(f"There is no speech model '{model}'. Known: {known}.", code="UNKNOWN_MODEL")
        return choice

    def _code(self, language: str | None, model: str) -> str | None:
        if language is None:
            return None
        code = whisper_code(language)
        if code not in LANGUAGES:
            raise InvalidInput(f"The speech model knows no language '{language}'.", code="UNKNOWN_LANGUAGE")
        if is_english_only(model) and code != "en":
            raise InvalidInput(f"The speech model {model} knows only English.", code="UNKNOWN_LANGUAGE")
        return code

    def _recogniser(self, model: str) -> Recogniser:
        # The API asks only `check`: importing the recogniser would cost it a second and 100 MB, so it happens here, in
        # the process that listens and after any fork.
        from biblio.adapters.speech.whisper_model import Hardware, Recogniser

        with self._lock:
            if self._loaded is None or self._loaded[0] != model:
                folder = self._weights(model)
                self._loaded = None  # Before the next one is loaded: two models need not fit.
                given = self._options
                hardware = Hardware(given.device, given.compute_type, given.threads, given.batch_size)
                self._loaded = model, Recogniser(folder, hardware)
            return self._loaded[1]

    def _weights(self, model: str) -> Path:
        return weights.locate(model, self._options.folder, folder_is_model=model == self._own)
