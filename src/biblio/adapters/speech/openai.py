"""Speech by OpenAI, and by servers of one's own that speak its protocol (vLLM, speaches, LocalAI).

openai://:key@host:port/v1?model=&fast=&high_quality=&format=&word_times=&longest=&max_bytes=&parallel=&tls=&timeout=&…
"""

import io
import wave
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from biblio.adapters.openai.account import AccountOptions, client_of, limit_of, place_of
from biblio.adapters.openai.errors import translated
from biblio.adapters.speech.openai_names import LANGUAGES, asked_code, heard_code
from biblio.adapters.speech.openai_words import Answer, words_of
from biblio.adapters.speech.pieces import Piece, Recognised, hear
from biblio.adapters.speech.sound import LONGEST, RATE
from biblio.dsn import Dsn
from biblio.errors import InvalidInput
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.speech import Heard, SpeechEngine

BYTES_PER_SECOND = 2 * RATE + 1024
"""FLAC never has more than the samples themselves, and a little for its frames."""
WITHOUT_TIMES = 30
"""Seconds of a piece of whose words no times are told: so far off may a moment be."""
ASKED_BY_LIST = "gpt-transcribe"
"""The model that takes the language as a list of candidates."""


class OpenaiSpeechOptions(AccountOptions):
    """`longest` in seconds and `max_bytes` bound a piece; `parallel` pieces of one sound are under way at once."""

    timeout: float = Field(default=300, gt=0, le=3600)
    fast: str | None = Field(default=None, min_length=1)
    high_quality: str | None = Field(default=None, min_length=1)
    format: Literal["verbose_json", "json"] = "verbose_json"
    word_times: bool = True
    longest: int | None = Field(default=None, ge=1, le=LONGEST)
    max_bytes: int = Field(default=25 * 1024**2, ge=BYTES_PER_SECOND)
    parallel: int = Field(default=4, ge=1, le=32)
    seconds_per_minute: float | None = Field(default=None, gt=0)


def connect(dsn: Dsn) -> SpeechEngine:
    """Raises `Misconfigured` for an address without model, host or key. Calls nothing."""
    return _Openai(dsn, dsn.read_options(OpenaiSpeechOptions))


class _Openai:
    name = "openai"

    def __init__(self, dsn: Dsn, options: OpenaiSpeechOptions) -> None:
        self._client = client_of(dsn, options)
        self._place = place_of(dsn)
        self._limit = limit_of("speech", dsn, options, options.seconds_per_minute)
        self._format, self._tells_words = options.format, options.word_times
        self._own = options.model
        self._names = {"fast": options.fast or self._own, "high_quality": options.high_quality or self._own}
        self.parallel = min(options.parallel, options.at_once or options.parallel)
        usual = LONGEST if options.format == "verbose_json" else WITHOUT_TIMES
        self.longest = min(options.longest or usual, options.max_bytes // BYTES_PER_SECOND)

    def check(self, language: str | None, model: str | None) -> None:
        self._code(language)
        self.model_name(model)

    def model_name(self, model: str | None) -> str:
        name = self._own if model is None else self._names.get(model, model)
        if name not in (self._own, *self._names.values()):
            known = ", ".join([*self._names, *sorted({self._own, *self._names.values()})])
            raise InvalidInput(f"There is no speech model '{model}'. Known: {known}.", code="UNKNOWN_MODEL")
        return name

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,
    ) -> Generator[Heard, None, None]:
        return hear(self, audio, self._code(language), self.model_name(model), since, call or Unpaced())

    def recognise(
        self,
        piece: Piece,
        language: str | None,
        model: str,
        call: CallContext,
        on_progress: Callable[[float], None],
    ) -> Recognised:
        """See `Service.recognise`. The protocol tells no progress: a call that is under way is waited for."""
        on_progress(0.0)  # Whoever no longer wants the piece takes no turn for it, and pays for none.
        with call.admit(self._limit, piece.seconds):
            on_progress(0.0)
            answer = self._ask(("piece.flac", piece.sound, "audio/flac"), language, model)
        return Recognised(words_of(answer, piece.seconds), language or _detected(answer))

    def prepare(self) -> None: ...

    def ping(self) -> None:
        """A second of silence is heard: only so it is sure that the model gives what is asked of it."""
        self._ask(("silence.wav", _silence(), "audio/wav"), "en", self._own)

    def close(self) -> None:
        self._client.close()

    def _code(self, language: str | None) -> str | None:
        if language is None:
            return None
        code = asked_code(language)
        if code not in LANGUAGES:
            raise InvalidInput(f"The speech service knows no language '{language}'.", code="UNKNOWN_LANGUAGE")
        return code

    def _ask(self, file: tuple[str, bytes, str], language: str | None, model: str) -> Answer:
        with translated(self._place):
            answer = self._client.audio.transcriptions.with_raw_response.create(
                file=file, model=model, response_format=self._format, **self._wishes(language, model)
            )
            return Answer.model_validate_json(answer.content)

    def _wishes(self, language: str | None, model: str) -> dict[str, Any]:
        wishes: dict[str, Any] = {}
        if self._format == "verbose_json":
            wishes["timestamp_granularities"] = ["word", "segment"] if self._tells_words else ["segment"]
        if language:
            by_list = model.startswith(ASKED_BY_LIST)
            wishes |= {"extra_body": {"languages": [language]}} if by_list else {"language": language}
        return wishes


def _detected(answer: Answer) -> str:
    named = [answer.language or "", *(one.code for one in answer.languages or ())]
    return next((code for name in named if (code := heard_code(name))), "")


def _silence() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(bytes(2 * RATE))
    return file.getvalue()
