"""A recogniser without ears: says a script over any sound. For tests of the road; refused in production.

scripted://?path=<script.json>&seconds_per_piece=0
The script is {"language": "ko", "sentences": [[start, end, text], ...]}; without one it speaks a few lines of its own.
"""

import time
from collections.abc import Generator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from biblio.adapters.speech.sound import RATE, stretches
from biblio.adapters.speech.words import in_order, spread
from biblio.dsn import Dsn, Options
from biblio.errors import InvalidInput, Misconfigured
from biblio.ports.speech import Heard, SpeechEngine

MODEL = "script"
SILENCE = 0.001
"""Loudness (of 1) up to which a sound counts as silence."""


class ScriptedOptions(Options):
    """`seconds_per_piece`: how long it takes to hear a sentence, for tests that need slow work."""

    path: Path | None = None
    seconds_per_piece: float = Field(default=0.0, ge=0, le=3600)


class Script(BaseModel):
    """What is said: start and end in seconds, and the words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    sentences: tuple[tuple[float, float, str], ...]


_KOREAN = Script(
    language="ko",
    sentences=(
        (0.5, 3.5, "안녕하세요, 오늘은 벡터 검색을 알아봅니다."),
        (4.0, 7.5, "문장은 뜻이 가까울수록 가까운 벡터가 됩니다."),
        (8.0, 11.0, "질문도 같은 방법으로 벡터가 됩니다."),
        (11.5, 14.5, "그래서 낱말이 달라도 답을 찾습니다."),
    ),
)
_ENGLISH = Script(
    language="en",
    sentences=(
        (0.5, 3.5, "Hello, today we look at vector search."),
        (4.0, 7.5, "Sentences of like meaning become vectors that lie close together."),
        (8.0, 11.0, "A question becomes a vector in the same way."),
        (11.5, 14.5, "So the answer is found even in other words."),
    ),
)


def connect(dsn: Dsn) -> SpeechEngine:
    """Raises `Misconfigured` for a script that is not there or not in shape."""
    options = dsn.read_options(ScriptedOptions)
    scripts = (_read(options.path),) if options.path else (_KOREAN, _ENGLISH)
    return _Scripted(scripts, options.seconds_per_piece)


def _read(path: Path) -> Script:
    try:
        return Script.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise Misconfigured(f"The script {path} cannot be used: {error}") from error


class _Scripted:
    name = "scripted"

    def __init__(self, scripts: tuple[Script, ...], seconds_per_piece: float) -> None:
        self._scripts = {script.language: script for script in scripts}
        self._spoken = scripts[0].language
        self._pause = seconds_per_piece

    def check(self, language: str | None, model: str | None) -> None:
        self.model_name(model)
        self._code(language)

    def model_name(self, model: str | None) -> str:
        if model not in (None, "fast", "high_quality", MODEL):
            raise InvalidInput(f"There is no speech model '{model}'. Known: {MODEL}.", code="UNKNOWN_MODEL")
        return MODEL

    def transcribe(self, audio: Path, *, language: str | None, model: str | None) -> Generator[Heard, None, None]:
        self.model_name(model)
        return self._say(audio, self._scripts[self._code(language)])

    def prepare(self) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def _code(self, language: str | None) -> str:
        code = self._spoken if language is None else language.lower().partition("-")[0]
        if code not in self._scripts:
            raise InvalidInput(f"The script is not in the language '{language}'.", code="UNKNOWN_LANGUAGE")
        return code

    def _say(self, audio: Path, script: Script) -> Generator[Heard, None, None]:
        duration, loud = _measure(audio)
        for start, end, text in script.sentences if loud else ():
            time.sleep(self._pause)
            if start < duration:
                words = in_order(spread(f" {text}", start, end), start, duration)
                yield Heard(words, min(end, duration), script.language)
        yield Heard((), duration, script.language if loud else "")


def _measure(audio: Path) -> tuple[float, bool]:
    """Seconds of sound, and whether there is any."""
    duration, loudest = 0.0, 0.0
    for start, samples in stretches(audio):
        duration = start + len(samples) / RATE
        loudest = max(loudest, float(abs(samples).max()))
    return duration, loudest > SILENCE
