"""An address: `scheme://user:password@host:port/path?option=value`. Its secrets never show in `repr` or errors."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from biblio.errors import Misconfigured

SECRET_WORDS = ("key", "secret", "token", "password")


class Options(BaseModel):
    """Base of every adapter's options: a name it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


O = TypeVar("O", bound=Options)


@dataclass(frozen=True, repr=False)
class Dsn:
    """One outside thing's address. `host` and `path` are decoded; `path` has no leading slash."""

    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""
    username: str | None = None
    password: str | None = None
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Dsn":
        """Raises `Misconfigured` when the text is no address."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise Misconfigured("An address has a port or host that cannot be read.") from None
        if not parts.scheme or "://" not in text:
            raise Misconfigured("An address looks like scheme://host/path?option=value.")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Misconfigured(f"An option stands twice in the {parts.scheme}:// address.")
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
            options=dict(pairs),
        )

    def read_options(self, model: type[O]) -> O:
        """The options as the adapter's own model; raises `Misconfigured` naming the option that is wrong."""
        try:
            return model.model_validate(self.options)
        except ValidationError as error:
            raise Misconfigured(_explain(self.scheme, model, error)) from None

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
        query = "&".join(f"{name}={quote(show(name, value), safe='*/:')}" for name, value in self.options.items())
        return f"{self.scheme}://{place}{path}" + (f"?{query}" if query else "")


def _mask(name: str, value: str) -> str:
    return "***" if any(word in name.lower() for word in SECRET_WORDS) else value


def _explain(scheme: str, model: type[Options], error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"Option '{name}' of the {scheme}:// address: {problem['msg']}."
    known = sorted(model.model_fields)
    close = get_close_matches(name, known, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    listed = ", ".join(known) or "none"
    return f"The {scheme}:// address has no option '{name}'.{hint} Known options: {listed}."
