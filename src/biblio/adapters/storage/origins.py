"""The option `origins`: web pages that may upload to a bucket and play from it; and rules that speak of pages."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def _origins(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _origin(value: str) -> str:
    # A browser names its page without the last slash, and storage compares letter by letter.
    origin = value.removesuffix("/")
    if not re.fullmatch(r"\*|https?://[^/\s]+", origin):
        raise ValueError("looks like https://host:port, several separated by commas")
    return origin


Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_origins)]


def matches(value: str, patterns: Iterable[str]) -> bool:
    """Whether a rule's list takes `value`; a pattern's `*` stands for anything."""
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), value) for one in patterns)
