"""Google's own client libraries, connected where an address points; opened at first use, after any fork."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import google.auth
import grpc
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud.speech_v2 import SpeechClient
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport
from google.cloud.storage import Client as StorageClient
from google.oauth2 import service_account

from biblio.adapters.speech.google_errors import translated
from biblio.errors import Misconfigured

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_PLAIN = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]


@dataclass(frozen=True)
class Target:
    """`endpoint` is `host:port` and `staging_endpoint` a URL; None: Google's own. `credentials` is the key file of a
    service account, None: the application default. `insecure` is without TLS, for emulators on this machine."""

    project: str
    location: str
    credentials: Path | None = None
    endpoint: str | None = None
    staging_endpoint: str | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        staging = urlsplit(self.staging_endpoint or "https:")
        for place in (self.endpoint, staging.netloc):
            if self.insecure and place and not _is_loopback(place):
                raise Misconfigured("'insecure' is for emulators on this machine: 127.0.0.1:port.")
        if self.insecure and not self.endpoint:
            raise Misconfigured("'insecure' is for emulators on this machine, and needs their 'endpoint'.")
        if staging.scheme != "https" and not (self.insecure and staging.scheme == "http"):
            raise Misconfigured("'staging_endpoint' begins with https://, or with http:// where 'insecure' is set.")

    @property
    def parent(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def host(self) -> str:
        usual = "speech.googleapis.com" if self.location == "global" else f"{self.location}-speech.googleapis.com"
        return self.endpoint or usual


class Clients:
    """Both clients are safe for threads. Raises `Misconfigured` without credentials."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lock = Lock()
        self._speech: SpeechClient | None = None
        self._storage: Any = None

    @property
    def speech(self) -> SpeechClient:
        with self._lock, translated():
            self._speech = self._speech or self._open_speech()
            return self._speech

    @property
    def storage(self) -> Any:
        with self._lock, translated():
            self._storage = self._storage or self._open_storage()
            return self._storage

    def close(self) -> None:
        with self._lock:
            if self._speech:
                self._speech.transport.close()
            if self._storage:
                self._storage.close()
            self._speech = self._storage = None

    def _open_speech(self) -> SpeechClient:
        if self.target.insecure:
            channel = grpc.insecure_channel(self.target.host, options=_PLAIN)
            return SpeechClient(transport=SpeechGrpcTransport(channel=channel))
        return SpeechClient(credentials=self._credentials(), client_options={"api_endpoint": self.target.host})

    def _open_storage(self) -> Any:
        place = self.target.staging_endpoint
        session = AuthorizedSession(self._credentials(), max_refresh_attempts=1)
        session.trust_env = not self.target.insecure
        options = {"api_endpoint": place} if place else None
        return StorageClient(self.target.project, session.credentials, _http=session, client_options=options)

    def _credentials(self) -> Any:
        path = self.target.credentials
        if path is None:
            return AnonymousCredentials() if self.target.insecure else google.auth.default(scopes=[SCOPE])[0]
        try:
            return service_account.Credentials.from_service_account_file(path, scopes=[SCOPE])
        except (OSError, ValueError) as error:  # which may show what is in the file
            kind = error.strerror if isinstance(error, OSError) else "it is no service account's key"
            raise Misconfigured(f"The option 'credentials' names {path}, which cannot be used: {kind}.") from None


def _is_loopback(endpoint: str) -> bool:
    host = endpoint.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
