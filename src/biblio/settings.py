"""All settings, and the only reader of the environment."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from biblio.dsn import Dsn
from biblio.errors import Misconfigured

PREFIX = "BIBLIO_"
_NEXT_ADDRESS = re.compile(r"\s+(?=[a-z][a-z0-9+.-]*://)")


def _address(value: object) -> object:
    try:
        return Dsn.parse(value) if isinstance(value, str) else value
    except Misconfigured as error:
        raise ValueError(error.message) from None


def _addresses(value: object) -> object:
    """Between blanks. One in a path does not end an address: the next begins with its scheme."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(Dsn.parse(one, may_have_rules=True) for one in _NEXT_ADDRESS.split(value.strip()))
    except Misconfigured as error:
        raise ValueError(error.message) from None


Address = Annotated[Dsn, BeforeValidator(_address)]
Addresses = Annotated[tuple[Dsn, ...], BeforeValidator(_addresses)]


class Settings(BaseModel):
    """Field `x` is read from `BIBLIO_X`. An address left out means the embedded engine (see docs/settings.md).

    `speech`: who is asked first comes first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    database: Address | None = None
    storage: Address | None = None
    queue: Address | None = None
    limiter: Address | None = None
    speech: Addresses = (Dsn("whisper", "base"),)
    embedder: Address = Dsn("use")
    vectors: Address = Dsn("pgvector")
    audio: Address = Dsn("ffmpeg")
    traces: Address | None = None

    env: Literal["development", "production"] = "development"
    log: Literal["json", "text"] | None = None
    data: Path | None = None
    url: str | None = None
    api_key: str | None = Field(default=None, repr=False)
    page_origins: str = ""
    max_file_size: int = Field(default=5 * 1024**3, gt=0)
    max_stored: int | None = Field(default=None, gt=0)
    max_uploads: int = Field(default=1000, gt=0)
    max_transcribed: float | None = Field(default=None, gt=0)
    max_duration: float = Field(default=12 * 3600, gt=0)
    multipart_threshold: int = Field(default=100 * 1024**2, ge=5 * 1024**2, le=5 * 1024**3)
    upload_seconds: int = Field(default=300, gt=0, le=604_800)
    upload_lifetime: int = Field(default=604_800, gt=0)
    download_seconds: int = Field(default=3600, gt=0, le=604_800)
    request_rate: float = Field(default=100, gt=0)
    stop_seconds: float = Field(default=25, ge=0)
    event_secret: str | None = Field(default=None, repr=False, min_length=16)
    test_data: Path | None = None


# Not a setting: local/ marks its child processes with it, so that orphans are found again.
_OURS = {"BIBLIO_FOLDER"}


def read_settings(environment: Mapping[str, str] | None = None, defaults: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment, then from `defaults` (the running local engines' addresses).

    Raises `Misconfigured` naming the variable that is misspelt or wrong, never its value.
    """
    given = os.environ if environment is None else environment
    names = {PREFIX + name.upper(): name for name in Settings.model_fields}
    values = {names[name]: value for name, value in (defaults or {}).items() if name in names}
    for name, value in given.items():
        if not name.startswith(PREFIX) or name in _OURS or value == "":
            continue
        if name not in names:
            close = get_close_matches(name, names, n=1)
            raise Misconfigured(f"There is no setting {name}." + (f" Did you mean {close[0]}?" if close else ""))
        values[names[name]] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(problem["loc"][0]).upper()
        raise Misconfigured(f"{name}: {problem['msg']}.") from None
