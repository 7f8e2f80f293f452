"""The bucket in which Google Speech finds what it is to hear: an object for each piece, gone once it is heard."""

import hashlib
import logging
import re
import secrets
from dataclasses import dataclass
from threading import Lock
from typing import Any

from google.api_core.exceptions import NotFound

from biblio.adapters.speech.google_clients import Clients
from biblio.adapters.speech.google_errors import translated
from biblio.errors import AdapterError, Misconfigured, Unavailable
from biblio.ports.call import CallContext

PREFIX = "biblio-speech"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
FOLDER_NOTE = "google/folder"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """`gs://bucket/prefix`, without a slash at its end."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> "Place":
        bucket, _, prefix = text.removeprefix("gs://").strip("/").partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise Misconfigured("`staging` is a bucket of Google Cloud Storage: gs://bucket, or gs://bucket/folder.")
        return cls(bucket, prefix or PREFIX)


class Staging:
    """One sound's folder. Another sound, even with the same pieces, has another: nobody removes what is in use.

    The folder is noted, so that whoever goes on after a crash finds what lies there.
    """

    def __init__(self, clients: Clients, place: Place, call: CallContext, timeout: float) -> None:
        self._clients, self._place, self._call, self._timeout = clients, place, call, timeout
        self._lock = Lock()
        self._folder = ""

    def audio(self, sound: bytes) -> str:
        """Where a piece goes: `gs://…`, the same for the same piece."""
        return f"{self._root()}/{hashlib.sha256(sound).hexdigest()}.flac"

    def results(self) -> str:
        """Where Google leaves its results."""
        return f"{self._root()}/results"

    def put(self, uri: str, sound: bytes) -> bool:
        """False: it was there already, left by an attempt that did not live. Objects are never there by half."""
        try:
            with translated():
                blob = self._blob(uri)
                if blob.exists(timeout=self._timeout, retry=None):
                    return False
                blob.upload_from_string(sound, "audio/flac", timeout=self._timeout, retry=None)
        except ValueError as error:  # of the library: Google kept less of it than it was sent
            raise Unavailable("Google Cloud Storage lost a part of a piece.") from error
        return True

    def read(self, uri: str) -> bytes | None:
        """None: it is not there."""
        with translated():
            try:
                content: bytes = self._blob(uri).download_as_bytes(timeout=self._timeout, retry=None)
            except NotFound:
                return None
        return content

    def remove(self, uri: str) -> None:
        """What cannot be removed is left to the bucket's own rule: the words count."""
        try:
            with translated():
                self._delete(uri)
        except AdapterError as error:
            log.warning("%s is left behind: %s", uri, error)

    def probe(self) -> None:
        """Write an object and remove it: what every piece needs. Raises where one of both is not possible."""
        uri = f"gs://{self._place.bucket}/{self._place.prefix}/probe-{secrets.token_hex(8)}"
        with translated():
            self._blob(uri).upload_from_string(b"", timeout=self._timeout, retry=None)
            self._delete(uri)

    def _delete(self, uri: str) -> None:
        try:
            self._blob(uri).delete(timeout=self._timeout, retry=None)
        except NotFound:
            log.debug("%s was gone already", uri)

    def _root(self) -> str:
        with self._lock:
            self._folder = self._folder or self._call.recall(FOLDER_NOTE) or self._new_folder()
            return f"gs://{self._place.bucket}/{self._place.prefix}/{self._folder}"

    def _new_folder(self) -> str:
        folder = secrets.token_hex(8)
        self._call.note(FOLDER_NOTE, folder)
        return folder

    def _blob(self, uri: str) -> Any:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return self._clients.storage.bucket(bucket).blob(name)
