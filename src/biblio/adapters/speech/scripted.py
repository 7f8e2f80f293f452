"""A recogniser without ears: says a script over any sound. For tests of the road; refused in production.

scripted://account?path=<script.json>&seconds_per_sentence=0&longest=600&log=<file>&calls_per_minute=60&fails_at=<seconds>
The script is {"language": "ko", "sentences": [[start, end, text], ...], "every": 15}; without one it speaks a few lines
of its own, every 15 seconds.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from math import ceil
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from biblio.adapters.speech.call_log import CallLog
from biblio.adapters.speech.sound import LONGEST, end_of, is_silent, stretches
from biblio.adapters.speech.words import in_order, spread
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn, Options
from biblio.errors import AdapterError, InvalidInput, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.speech import Heard, SpeechEngine

MODEL = "script"
_FAILURES: dict[str, type[AdapterError]] = {
    "unavailable": Unavailable,
    "rate_limited": RateLimited,
    "misconfigured": Misconfigured,
    "rejected": Rejected,
}


class ScriptedOptions(Options):
    """`seconds_per_sentence`: how long it takes to hear one, for tests that need slow work. `longest`: seconds a piece
    may have, for tests that need many. `log`: a file that gets a line for each piece begun and done (call_log.py).
    `fails_at`: what begins at this second or later is not heard, for tests of who takes over; `fails_as`: why.
    With any of the last three each piece is a call that waits for its turn, as at a service; `account` shares them.
    """

    path: Path | None = None
    seconds_per_sentence: float = Field(default=0.0, ge=0, le=3600)
    longest: int = Field(default=LONGEST, ge=1, le=LONGEST)
    log: Path | None = None
    fails_at: float | None = Field(default=None, ge=0)
    fails_as: Literal["unavailable", "rate_limited", "misconfigured", "rejected"] = "unavailable"
    calls_per_minute: float | None = Field(default=None, gt=0)
    seconds_per_minute: float | None = Field(default=None, gt=0)
    at_once: int | None = Field(default=None, ge=1)


class Script(BaseModel):
    """What is said: start and end in seconds, and the words; all of it again every so many seconds, with a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    sentences: tuple[tuple[float, float, str], ...]
    every: float | None = Field(default=None, gt=0)

    def between(self, start: float, end: float) -> Iterator[tuple[float, float, str]]:
        """The sentences that begin in `start`..`end` seconds."""
        rounds = range(int(start // self.every), ceil(end / self.every)) if self.every else (0,)
        for number in rounds:
            past = number * (self.every or 0.0)
            for begin, stop, text in self.sentences:
                if start <= past + begin < end:
                    yield past + begin, past + stop, f"({number}) {text}" if number else text


_KOREAN = Script(
    language="ko",
    sentences=(
        (0.5, 3.5, "안녕하세요, 오늘은 벡터 검색을 알아봅니다."),
        (4.0, 7.5, "문장은 뜻이 가까울수록 가까운 벡터가 됩니다."),
        (8.0, 11.0, "질문도 같은 방법으로 벡터가 됩니다."),
        (11.5, 14.5, "그래서 낱말이 달라도 답을 찾습니다."),
    ),
    every=15,
)
_ENGLISH = Script(
    language="en",
    sentences=(
        (0.5, 3.5, "Hello, today we look at vector search."),
        (4.0, 7.5, "Sentences of like meaning become vectors that lie close together."),
        (8.0, 11.0, "A question becomes a vector in the same way."),
        (11.5, 14.5, "So the answer is found even in other words."),
    ),
    every=15,
)


def connect(dsn: Dsn) -> SpeechEngine:
    """Raises `Misconfigured` for a script that is not there or not in shape."""
    options = dsn.read_options(ScriptedOptions)
    return _Scripted((_read(options.path),) if options.path else (_KOREAN, _ENGLISH), options, dsn.host)


def _read(path: Path) -> Script:
    try:
        return Script.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise Misconfigured(f"The script {path} cannot be used: {error}") from error


class _Scripted:
    name = "scripted"

    def __init__(self, scripts: tuple[Script, ...], options: ScriptedOptions, account: str) -> None:
        self._scripts = {script.language: script for script in scripts}
        self._spoken = scripts[0].language
        self._options = options
        bounds = (options.calls_per_minute, options.seconds_per_minute, options.at_once)
        self._limit = RateLimit(f"speech:scripted:{account}", *bounds) if any(bounds) else None

    def check(self, language: str | None, model: str | None) -> None:
        self.model_name(model)
        self._code(language)

    def model_name(self, model: str | None) -> str:
        if model not in (None, "fast", "high_quality", MODEL):
            raise InvalidInput(f"There is no speech model '{model}'. Known: {MODEL}.", code="UNKNOWN_MODEL")
        return MODEL

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,
    ) -> Generator[Heard, None, None]:
        self.model_name(model)
        return self._say(audio, self._scripts[self._code(language)], since, call or Unpaced())

    def prepare(self) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def _code(self, language: str | None) -> str:
        code = self._spoken if language is None else language.lower().partition("-")[0]
        if code not in self._scripts:
            raise InvalidInput(f"The script is not in the language '{language}'.", code="UNKNOWN_LANGUAGE")
        return code

    def _say(self, audio: Path, script: Script, since: float, call: CallContext) -> Generator[Heard, None, None]:
        log, spoken = CallLog(self._options.log, audio), ""
        for start, samples in stretches(audio, self._options.longest, since):
            end = end_of(start, samples)
            turn = call.admit(self._limit, end - start) if self._limit else nullcontext()
            with turn, log.call(start, end):
                self._fail_from(start)
                if not is_silent(samples):
                    spoken = script.language
                    yield from self._read_out(script, start, end)
            yield Heard((), end, spoken, ends_piece=True)

    def _read_out(self, script: Script, start: float, end: float) -> Iterator[Heard]:
        for begin, stop, text in script.between(start, end):
            self._fail_from(begin)
            time.sleep(self._options.seconds_per_sentence)
            yield Heard(in_order(spread(f" {text}", begin, stop), begin, end), min(stop, end), script.language)

    def _fail_from(self, second: float) -> None:
        if self._options.fails_at is not None and second >= self._options.fails_at:
            raise _FAILURES[self._options.fails_as]("The script ends here, as it was told to.")
