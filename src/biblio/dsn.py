"""An address: `scheme://user:password@host:port/path?option=value#rule=value`. Its secrets never show in `repr` or
errors."""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from biblio.errors import Misconfigured

SECRET_WORDS = ("key", "secret", "token", "password")
_RULES = re.compile(r"[a-z_]+=[^@#]*")
"""What `@` or `#` stands in is more likely the rest of a password."""


class Options(BaseModel):
    """Base of every adapter's options: a name it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


O = TypeVar("O", bound=Options)


@dataclass(frozen=True, repr=False)
class Dsn:
    """One outside thing's address. `host` and `path` are decoded; `path` has no leading slash.

    `rules`: when it is used, where several are named.
    """

    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""
    username: str | None = None
    password: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, *, may_have_rules: bool = False) -> "Dsn":
        """Raises `Misconfigured` when the text is no address."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise Misconfigured("An address has a port or host that cannot be read.") from None
        if not parts.scheme or "://" not in text:
            raise Misconfigured("An address looks like scheme://host/path?option=value.")
        if "#" in text and not may_have_rules:
            raise Misconfigured(f"Nothing may follow # in this {parts.scheme}:// address; # itself is written %23.")
        if parts.fragment and not _RULES.fullmatch(parts.fragment):
            raise Misconfigured(f"What follows # in a {parts.scheme}:// address looks like rule=value&rule=value.")
        # urlsplit().hostname lower-cases; a bucket or model name keeps its case.
        host = parts.netloc.rpartition("@")[2]
        if port is not None:
            host = host.rpartition(":")[0]
        return cls(
            scheme=parts.scheme,
            host=unquote(host.removesuffix(":")),
            port=port,
            path=unquote(parts.path.removeprefix("/")),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            options=_pairs(parts.query, f"An option stands twice in the {parts.scheme}:// address."),
            rules=_pairs(parts.fragment, f"A rule stands twice in the {parts.scheme}:// address."),
        )

    def read_options(self, model: type[O]) -> O:
        """The options as the adapter's own model; raises `Misconfigured` naming the option that is wrong."""
        return self._read("option", self.options, model)

    def read_rules(self, model: type[O]) -> O:
        """The rules, likewise."""
        return self._read("rule", self.rules, model)

    def _read(self, kind: str, given: dict[str, str], model: type[O]) -> O:
        try:
            return model.model_validate(given)
        except ValidationError as error:
            raise Misconfigured(_explain(self.scheme, kind, model, error)) from None

    def text(self) -> str:
        """The whole address, secrets included: only ever for the client library that needs it."""
        return self._render(lambda _name, value: value)

    def __repr__(self) -> str:
        return self._render(_mask)

    __str__ = __repr__

    def _render(self, show: Any) -> str:
        login = quote(self.username, safe="") if self.username else ""
        if self.password:
            login += ":" + quote(show("password", self.password), safe="*")
        place = (login + "@" if login else "") + self.host + (f":{self.port}" if self.port is not None else "")
        path = "/" + quote(self.path) if self.path else ""
        query, rules = (
            "&".join(f"{name}={quote(show(name, value), safe='*/:,')}" for name, value in pairs.items())
            for pairs in (self.options, self.rules)
        )
        return f"{self.scheme}://{place}{path}" + (f"?{query}" if query else "") + (f"#{rules}" if rules else "")


def require_sendable(key: str | None, scheme: str) -> None:
    """Raises `Misconfigured` for a key that no HTTP header takes, as with the end of a line behind it: what refuses it
    would say it aloud."""
    if key and not re.fullmatch(r"[!-~]+", key):
        raise Misconfigured(f"The key of the {scheme}:// address is none that can be sent.")


def _pairs(text: str, twice: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise Misconfigured(twice)
    return dict(pairs)


def _mask(name: str, value: str) -> str:
    return "***" if any(word in name.lower() for word in SECRET_WORDS) else value


def _explain(scheme: str, kind: str, model: type[Options], error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{kind.capitalize()} '{name}' of the {scheme}:// address: {problem['msg']}."
    known = sorted(model.model_fields)
    close = get_close_matches(name, known, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    listed = ", ".join(known) or "none"
    # Behind a # that somebody forgot to quote stands the rest of a secret.
    named = f" '{name}'" if kind == "option" else " of that name"
    return f"The {scheme}:// address has no {kind}{named}.{hint} Known {kind}s: {listed}."
