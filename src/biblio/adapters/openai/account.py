"""An account at OpenAI, or a server of one's own that speaks its protocol: `openai://:key@host:port/v1?model=…`."""

import ssl
from ipaddress import ip_address

import openai
from pydantic import Field

from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn, Options, require_sendable
from biblio.errors import Misconfigured

OWN_HOST = "api.openai.com"
CONNECT_SECONDS = 5.0
_NO_KEY = "none"
"""The client library sends a key always; servers without one do not look at it."""


class AccountOptions(Options):
    """`tls` None: unless the service is on this machine. `timeout` in seconds. Limits are a minute's."""

    model: str = Field(min_length=1)
    key: str | None = Field(default=None, repr=False)
    tls: bool | None = None
    timeout: float = Field(default=60, gt=0, le=3600)
    calls_per_minute: float | None = Field(default=None, gt=0)
    at_once: int | None = Field(default=None, ge=1)


def client_of(dsn: Dsn, options: AccountOptions) -> openai.OpenAI:
    """Calls nothing yet, and retries nothing. Raises `Misconfigured` for an address without host or key."""
    if not dsn.host:
        raise Misconfigured(f"An openai:// address needs a host, as openai://{OWN_HOST}/v1?model=….")
    if dsn.username:
        raise Misconfigured("The key of an openai:// address stands behind a colon: openai://:key@host/v1.")
    key = dsn.password or options.key or (None if dsn.host == OWN_HOST else _NO_KEY)
    is_encrypted = not _is_this_machine(dsn.host) if options.tls is None else options.tls
    try:
        client = openai.OpenAI(
            api_key=key,
            base_url=f"{'https' if is_encrypted else 'http'}://{place_of(dsn)}/{dsn.path or 'v1'}",
            timeout=openai.Timeout(options.timeout, connect=min(CONNECT_SECONDS, options.timeout)),
            max_retries=0,
            http_client=None if is_encrypted else openai.DefaultHttpxClient(verify=_no_trust()),
        )
    except openai.OpenAIError as error:
        raise Misconfigured(f"{OWN_HOST} needs a key: openai://:key@{OWN_HOST}/v1, or OPENAI_API_KEY.") from error
    require_sendable(client.api_key, dsn.scheme)  # the variable's too, which the library reads
    return client


def limit_of(port: str, dsn: Dsn, options: AccountOptions, units: float | None) -> RateLimit:
    """OpenAI counts each model by itself; what all of an account's models may do together is never more than that."""
    return RateLimit(f"{port}:openai:{place_of(dsn)}", options.calls_per_minute, units, options.at_once)


def place_of(dsn: Dsn) -> str:
    return dsn.host + (f":{dsn.port}" if dsn.port is not None else "")


def _no_trust() -> ssl.SSLContext:
    """No certificates are read where none will be looked at: to read them takes longer than many a call."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
