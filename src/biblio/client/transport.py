"""One HTTP connection to the API: the key, the errors, and a second try for requests that may be repeated."""

import time
from contextlib import AbstractContextManager
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from biblio.client.live import Live, open_live
from biblio.client.problems import PASSING, error_of, no_answer
from biblio.client.trust import LOOPBACK, trust
from biblio.errors import Misconfigured, Rejected, Unavailable

PAUSES = (0.2, 0.5, 1.0)
"""Seconds before the second, third and fourth try."""


def open_http(url: str, **options: Any) -> httpx.Client:
    """An HTTP client for `url`."""
    return httpx.Client(trust_env=urlsplit(url).hostname not in LOOPBACK, verify=trust(), **options)


class Transport:
    """Sends requests to the API at `url` and returns answers that are good; everything else raises."""

    def __init__(self, url: str, api_key: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misconfigured("BIBLIO_URL has to look like http://host:port or https://host.")
        self.url = url.rstrip("/")
        self._key = api_key
        self.answered = False
        """Whether anybody was ever there."""
        headers = {"Authorization": f"Bearer {api_key}", "Accept": "application/json, */*"}
        try:
            self._http = open_http(url, headers=headers, timeout=timeout)
        except UnicodeEncodeError:  # HTTP headers are ASCII
            raise Misconfigured("BIBLIO_API_KEY has letters that no key has.") from None

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, path: str, params: dict[str, Any] | None = None) -> httpx.Response:
        return self.repeat("GET", path, params=params)

    def repeat(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request that may reach the server twice without harm: tried again when the connection broke or the server
        is not ready."""
        for pause in PAUSES:
            try:
                return self.send(method, path, **options)
            except Unavailable as error:
                if not _may_pass(error):
                    raise
            time.sleep(pause)
        return self.send(method, path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, sent once. Raises the errors of `problems`."""
        try:
            response = self._http.request(method, self.url + path, **options)
        except httpx.TransportError as error:
            raise no_answer(error, self.url) from error
        self.answered = True
        if not response.is_success:
            raise error_of(response)
        return response

    def live(self, path: str, after: int | None = None) -> AbstractContextManager[Live]:
        """A live socket, to be used as a context manager. Raises as `send`."""
        return open_live(self.url, self._key, path, after)

    def json(self, response: httpx.Response) -> Any:
        """The body as JSON; raises `Rejected` when it is none: then something else than biblio answers there."""
        try:
            return response.json()
        except ValueError:
            raise Rejected(f"What answers at {self.url} is not biblio's API.", code="NOT_BIBLIO") from None


def _may_pass(error: Unavailable) -> bool:
    # A refused connection is told at once: whoever forgot to start the server should not be kept waiting.
    return error.code in ("SERVER_TIMEOUT", "CONNECTION_LOST") or error.details.get("http_status") in PASSING
