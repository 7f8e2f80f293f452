"""Speech by Google Cloud Speech-to-Text v2: `google://project/location?model=chirp_2&staging=gs://bucket`.

Short sounds in one call, long ones in pieces: by `Recognize` up to a minute, by `BatchRecognize` beyond where there is
a bucket to put them in.
"""

import contextlib
from collections.abc import Generator
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from google.cloud.location.locations_pb2 import GetLocationRequest
from google.cloud.speech_v2.types import LocationsMetadata
from pydantic import Field

from biblio.adapters.speech.google_clients import Clients, Target
from biblio.adapters.speech.google_errors import translated
from biblio.adapters.speech.google_hearing import LONGEST_AT_ONCE, Hearing, Manner
from biblio.adapters.speech.google_languages import DETECT, Candidates, tag_of
from biblio.adapters.speech.google_staging import Place, Staging
from biblio.adapters.speech.pieces import hear
from biblio.adapters.speech.sound import LONGEST
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn, Options
from biblio.errors import InvalidInput, Misconfigured
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.speech import Heard, SpeechEngine

MODELS = ("chirp_2", "chirp_3", "long", "latest_long")
ALIASES = {"latest_long": "long"}
USUAL_CANDIDATES = "ko,en"
"""For models that do not find out the language by themselves."""
_MODEL = r"^[a-z][a-z0-9_]*$"


class GoogleOptions(Options):
    """`languages`: candidates between commas, or `auto`. `longest` (of a piece), `timeout` (of a call) and
    `operation_timeout` are seconds. `results`: where Google leaves what it heard in operations."""

    model: str = Field(default="chirp_2", pattern=_MODEL)
    fast: str | None = Field(default=None, pattern=_MODEL)
    high_quality: str | None = Field(default=None, pattern=_MODEL)
    languages: str | None = None
    word_times: bool = True
    staging: str | None = None
    longest: int = Field(default=LONGEST, ge=1, le=LONGEST)
    results: Literal["inline", "bucket"] = "inline"
    credentials: Path | None = None
    endpoint: str | None = None
    staging_endpoint: str | None = None
    insecure: bool = False
    timeout: float = Field(default=120, gt=0, le=600)
    operation_timeout: float = Field(default=7200, gt=0, le=86_400)
    parallel: int = Field(default=4, ge=1, le=32)
    calls_per_minute: float | None = Field(default=None, gt=0)
    seconds_per_minute: float | None = Field(default=None, gt=0)
    at_once: int | None = Field(default=None, ge=1)


def connect(dsn: Dsn) -> SpeechEngine:
    """Raises `Misconfigured` for an address that cannot be right. Opens nothing."""
    options = dsn.read_options(GoogleOptions)
    if not dsn.host or not dsn.path or "/" in dsn.path:
        raise Misconfigured("The address of Google Speech is google://project/location, as google://talks/us-central1.")
    if options.results == "bucket" and not options.staging:
        raise Misconfigured("Option 'results=bucket' of the google:// address needs 'staging'.")
    return _Google(dsn.host, dsn.path, options)


class _Google:
    name = "google-speech"

    def __init__(self, project: str, location: str, options: GoogleOptions) -> None:
        self._target = Target(
            project,
            location,
            options.credentials,
            options.endpoint,
            options.staging_endpoint,
            options.insecure,
        )
        self._clients = Clients(self._target)
        self._manner = _manner(project, options)
        self._models = {name: name for name in (*MODELS, options.model)} | {
            "fast": options.fast or options.model,
            "high_quality": options.high_quality or options.model,
        }
        self._models |= {name: name for name in self._models.values()}
        self._usual = options.model
        self._candidates = {name: _candidates(name, options.languages) for name in set(self._models.values())}

    def check(self, language: str | None, model: str | None) -> None:
        self.model_name(model)
        if language is not None:
            tag_of(language)

    def model_name(self, model: str | None) -> str:
        found = self._usual if model is None else self._models.get(model)
        if found is None:
            close = get_close_matches(model or "", self._models, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            known = ", ".join(sorted({*self._models.values()}))
            raise InvalidInput(f"There is no speech model '{model}'.{hint} Known: {known}.", code="UNKNOWN_MODEL")
        return found

    def transcribe(
        self,
        audio: Path,
        *,
        language: str | None,
        model: str | None,
        since: float = 0.0,
        call: CallContext | None = None,
    ) -> Generator[Heard, None, None]:
        self.check(language, model)
        return self._hear(audio, language, self.model_name(model), since, call or Unpaced())

    def prepare(self) -> None: ...

    def ping(self) -> None:
        """Asks what the location offers, and writes to the bucket if there is one. Neither is billed as speech."""
        missing = {ALIASES.get(name, name) for name in self._wanted()} - (offered := self._offered())
        if offered and missing:
            known = ", ".join(sorted(offered))
            raise Misconfigured(f"{self._target.location} has no model {', '.join(missing)}. It has: {known}.")
        if self._manner.staging:
            Staging(self._clients, self._manner.staging, Unpaced(), self._manner.timeout).probe()

    def close(self) -> None:
        self._clients.close()

    def _offered(self) -> set[str]:
        """The models of the location."""
        ask = GetLocationRequest(name=self._target.parent)
        with translated():
            location = self._clients.speech.get_location(ask, retry=None, timeout=self._manner.timeout)
            metadata = LocationsMetadata.deserialize(location.metadata.value)
        return {name for language in metadata.languages.models.values() for name in language.model_features}

    def _wanted(self) -> set[str]:
        return {self.model_name(name) for name in (None, "fast", "high_quality")}

    def _hear(
        self, audio: Path, language: str | None, model: str, since: float, call: CallContext
    ) -> Generator[Heard, None, None]:
        hearing = Hearing(self._clients, self._manner, self._candidates[model], call)
        with contextlib.closing(hear(hearing, audio, language, model, since, call)) as pieces:
            for heard in pieces:
                yield heard
                if heard.ends_piece:  # whoever asks for the next has kept it
                    hearing.kept(heard.until)


def _manner(project: str, options: GoogleOptions) -> Manner:
    limit = RateLimit(f"speech:google:{project}", options.calls_per_minute, options.seconds_per_minute, options.at_once)
    return Manner(
        limit,
        min(options.longest, LONGEST if options.staging else LONGEST_AT_ONCE),
        min(options.parallel, options.at_once or options.parallel),
        options.timeout,
        options.operation_timeout,
        options.word_times,
        Place.parse(options.staging) if options.staging else None,
        options.results == "bucket",
    )


def _candidates(model: str, languages: str | None) -> Candidates:
    usual = DETECT if model.startswith("chirp") else USUAL_CANDIDATES
    try:
        return Candidates(languages or usual)
    except InvalidInput as error:
        raise Misconfigured(f"Option 'languages' of the google:// address: {error}") from error
