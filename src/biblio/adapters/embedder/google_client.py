"""Google's own client, connected where an address points: Vertex AI of a project, or the Gemini API by a key."""

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import google.oauth2.credentials
import httpx
from google import genai
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.genai.types import HttpOptions, HttpRetryOptions
from google.oauth2 import service_account

from biblio.errors import Misconfigured

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
CONNECT_SECONDS = 5.0


def client_of(account: dict[str, Any], endpoint: str | None, credentials: Path | None, timeout: float) -> genai.Client:
    """`account`: `project` and `location`, or `api_key`. Calls nothing yet, and retries nothing. `timeout` in seconds.

    Without a file of credentials the application default ones are looked up at the first call. Raises `Misconfigured`.
    """
    is_plain = _check(endpoint)
    trust = _no_trust() if is_plain else httpx.create_ssl_context()
    options = HttpOptions(
        base_url=endpoint,
        timeout=round(timeout * 1000),
        retry_options=HttpRetryOptions(attempts=1),
        httpx_client=httpx.Client(timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)), verify=trust),
        # For clients that are never used, and would read all certificates three times over.
        client_args={"verify": trust},
        async_client_args={"verify": trust, "ssl": trust},
    )
    if "api_key" in account:
        return genai.Client(vertexai=False, http_options=options, **account)
    return genai.Client(vertexai=True, http_options=options, credentials=_read(credentials, is_plain), **account)


def _no_trust() -> ssl.SSLContext:
    """No certificates are read where none will be looked at."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _read(file: Path | None, is_plain: bool) -> Credentials | None:
    if is_plain:  # An emulator: what opens Google's doors is never sent unencrypted.
        return google.oauth2.credentials.Credentials(token="nobody")  # noqa: S106
    if file is None:
        return None
    try:
        found: Credentials = service_account.Credentials.from_service_account_file(str(file), scopes=SCOPES)
    except (OSError, ValueError, GoogleAuthError) as error:
        raise Misconfigured(f"The credentials {file} are no key file of a service account.") from error
    return found


def _check(endpoint: str | None) -> bool:
    """Whether it is unencrypted, which only an emulator on this machine may be."""
    parts = urlsplit(endpoint or "https://google")
    if parts.scheme == "https" and parts.hostname:
        return False
    if parts.scheme == "http" and _is_this_machine(parts.hostname or ""):
        return True
    raise Misconfigured("The 'endpoint' of a google:// address begins with https://, or http:// on this machine.")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
