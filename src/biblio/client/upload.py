"""A file's way from disk straight to the object storage, taken up where it was left."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from biblio.client.delivery import Way
from biblio.client.fingerprint import fingerprint
from biblio.client.models import Accepted, UploadTarget
from biblio.client.multipart import Parts
from biblio.client.open_upload import Manner, OpenUpload
from biblio.client.resume import Contents, Found, Wish, find_upload
from biblio.client.source import Source, Span, file_name_of
from biblio.client.waiting import patiently
from biblio.client.whole import Whole
from biblio.errors import BiblioError, Conflict, RateLimited, Unavailable

if TYPE_CHECKING:
    from biblio.client.client import Client

Answer = TypeVar("Answer")

HASHED_WHOLE = 100 * 1024 * 1024
"""Bytes of a file that is announced with its SHA-256. A larger one would wait too long; its parts have theirs."""


def send_file(client: "Client", path: Path, wish: Wish, manner: Manner) -> Accepted:
    """Raises the errors of `Client.upload`."""
    with Source(path) as source:
        contents = Contents(source.size, fingerprint(source), _sha256(source), source.changed_at)
        found = _at_first(client, lambda: find_upload(client, contents, wish)) or _create(client, path, contents, wish)
        video_id = found.video_id
        if found.target is None:
            return _acknowledged(client, video_id, source.size, manner)
        way = _way(client, found, found.target, source, contents.sha256)
        try:
            return OpenUpload(client, video_id, way, source, manner).run()
        except Conflict as error:
            if error.code == "FILE_CHANGED":  # what has arrived may never be joined with what the file is now
                with suppress(BiblioError):
                    client.cancel_upload(video_id)
            raise
        except (Unavailable, RateLimited) as error:
            message = f"{error.message} The same upload, started again, goes on where it stopped."
            raise type(error)(message, code=error.code, **error.details) from error


def _acknowledged(client: "Client", video_id: str, size: int, manner: Manner) -> Accepted:
    if manner.on_open:
        manner.on_open(video_id, size)
    return patiently(lambda: client.complete_upload(video_id))


def _sha256(source: Source) -> str | None:
    return source.sha256(Span(1, 0, source.size)) if source.size <= HASHED_WHOLE else None


def _at_first(client: "Client", ask: Callable[[], Answer]) -> Answer:
    """Whoever forgot to start the server is told at once; a server that has answered before is waited for."""
    try:
        return ask()
    except (Unavailable, RateLimited):
        if not client.has_answered:
            raise
    return patiently(ask)


def _create(client: "Client", path: Path, contents: Contents, wish: Wish) -> Found:
    key = str(uuid.uuid4())
    created = patiently(
        lambda: client.create_video(
            file_name_of(path),
            contents.size,
            wish.mime_type,
            title=wish.title,
            language=wish.language,
            model=wish.model,
            sha256=contents.sha256,
            fingerprint=contents.fingerprint,
            idempotency_key=key,
        )
    )
    return Found(created["video_id"], created["upload"], is_certain=True)


def _way(client: "Client", found: Found, target: UploadTarget, source: Source, sha256: str | None) -> Way:
    if target["method"] == "PUT":
        return Whole(client, found.video_id, target, source, sha256)
    return Parts(client, found.video_id, target["part_size"], source, trust=found.is_certain)
