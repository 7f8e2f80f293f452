"""How Google's library is set up: credentials, endpoints, time limits, who signs."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google.auth
from google.api_core.exceptions import from_http_response
from google.auth.credentials import Signing
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud.storage import Client
from google.oauth2 import service_account
from pydantic import Field
from requests import Response, Session
from requests.adapters import HTTPAdapter

from biblio.adapters.storage.endpoints import Endpoint, is_loopback
from biblio.adapters.storage.origins import Origins
from biblio.dsn import Options
from biblio.errors import Misconfigured

GOOGLE = "https://storage.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
CONNECTIONS = 20


class GcsOptions(Options):
    """What may stand after `?` in a gs:// address.

    `credentials` is the path of a service account's key file (left out: Google's application default credentials).
    `signer` is the e-mail address of the service account in whose name addresses are signed, where the credentials hold
    no key of their own; its IAM is called at `iam_endpoint`. `project` and `location` are for making the bucket.
    `endpoint` is where workers call, `public_endpoint` what signed URLs point at (left out: the same). `origins` are
    the web pages that may upload and play, separated by commas. The timeouts are in seconds.
    """

    project: str | None = None
    credentials: Path | None = None
    signer: str | None = None
    location: str | None = None
    endpoint: Endpoint = GOOGLE
    public_endpoint: Endpoint | None = None
    iam_endpoint: Endpoint = "https://iamcredentials.googleapis.com"
    origins: Origins = ()
    connect_timeout: float = Field(default=5, gt=0)
    read_timeout: float = Field(default=30, gt=0)


@dataclass(frozen=True)
class Reach:
    """What calls go through. `session` adds the credentials to every request."""

    client: Client
    session: "GcsSession"
    signer: Signing | None


class GcsSession(AuthorizedSession):
    """One session for Google's library and for what it has no call for."""

    def __init__(self, credentials: Any, options: GcsOptions) -> None:
        tokens = Session()
        super().__init__(credentials, max_refresh_attempts=1, auth_request=Request(tokens))  # type: ignore[no-untyped-call]
        self._limits = (options.connect_timeout, options.read_timeout)
        for session in (self, tokens):
            session.trust_env = not is_loopback(options.endpoint)
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=0))

    def request(self, *asked: Any, **options: Any) -> Response:
        # The library states time limits of its own. A redirect leads where no setting says, and is an error here.
        given = {**options, "timeout": self._limits, "allow_redirects": False}
        answer: Response = super().request(*asked, **given)  # type: ignore[no-untyped-call]
        return answer


class RemoteSigner(Signing):
    """Signs with IAM's `signBlob`: for machines that have a role and no key. One call a signature."""

    def __init__(self, session: GcsSession, endpoint: str, email: str) -> None:
        self._session = session
        self._url = f"{endpoint}/v1/projects/-/serviceAccounts/{email}:signBlob"
        self._email = email

    def sign_bytes(self, message: bytes) -> bytes:
        answer = self._session.request("POST", self._url, json={"payload": b64encode(message).decode()})
        if not answer.ok or answer.status_code >= 300:
            raise from_http_response(answer)
        return b64decode(answer.json()["signedBlob"])

    @property
    def signer_email(self) -> str:
        return self._email

    @property
    def signer(self) -> None:
        """None: it never leaves Google."""


def open_reach(options: GcsOptions) -> Reach:
    """Raises the errors of Google's libraries, and `Misconfigured` for a key file that cannot be used."""
    credentials, found = _credentials(options.credentials)
    session = GcsSession(credentials, options)
    client = Client(
        project=options.project or found,
        credentials=credentials,
        _http=session,
        client_options={"api_endpoint": options.endpoint},
    )
    if options.signer:
        return Reach(client, session, RemoteSigner(session, options.iam_endpoint, options.signer))
    return Reach(client, session, credentials if isinstance(credentials, Signing) else None)


def _credentials(path: Path | None) -> tuple[Any, str | None]:
    """And their project, where they name one."""
    if path is None:
        return google.auth.default(scopes=SCOPES)
    try:
        credentials = service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
    except (OSError, ValueError) as error:
        # What is in the file shows nowhere, not even as a cause.
        kind = error.strerror if isinstance(error, OSError) else "it is no service account's key"
        raise Misconfigured(f"The option 'credentials' names {path}, which cannot be used: {kind}.") from None
    return credentials, credentials.project_id
