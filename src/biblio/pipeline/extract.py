"""Step 3: the sound out of the video, read where it lies; and a picture to know it by."""

import hashlib
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from biblio.domain import keys
from biblio.domain.video import Video
from biblio.errors import InvalidInput
from biblio.pipeline.lease import Lease
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.storage import Storage

JPEG = "image/jpeg"


class Original:
    """The bytes of a video's original, pinned to the object that was checked when the upload ended."""

    def __init__(self, storage: Storage, video: Video) -> None:
        self.size = video.file_size
        self._storage = storage
        self._video = video

    def read(self, start: int) -> Iterator[bytes]:
        return self._storage.read(self._video.key, start=start, etag=self._video.etag)


def extract(services: Services, lease: Lease) -> dict[str, Any]:
    """Leaves the MP3 and the FLAC in storage, and a JPEG where there is something to see.

    `{audio, speech, duration, poster}`: their keys, and seconds; no poster without one.
    """
    video = lease.claim.video
    _check_sha256(services.storage, video)
    places = {"audio": keys.audio(video.id), "speech": keys.speech_audio(video.id)}
    with tempfile.TemporaryDirectory(prefix="biblio-") as folder:
        sound = services.audio.extract(Original(services.storage, video), Path(folder), lease.report)
        with sound.listening.open("rb") as mp3, sound.speech.open("rb") as flac:
            services.storage.write(places["audio"], mp3, content_type="audio/mpeg")
            lease.report(1.0)
            services.storage.write(places["speech"], flac, content_type="audio/flac")
    poster = _poster(services, lease, sound.duration)
    lease.at_end.append(partial(_show, video.id, video.generation if poster else None))
    return {**places, "duration": sound.duration, **({"poster": poster} if poster else {})}


def _show(video_id: str, poster: int | None, tx: Transaction) -> None:
    tx.videos.update(video_id, poster=poster)


def _poster(services: Services, lease: Lease, seconds: float) -> str | None:
    """Its key. In a folder of its own, after the sound was stored: decoders of pictures are trusted least."""
    video = lease.claim.video
    source, key = Original(services.storage, video), keys.poster(video.id)
    with tempfile.TemporaryDirectory(prefix="biblio-") as folder:
        picture = services.audio.picture(source, Path(folder), seconds, lambda _: lease.report(1.0))
        if picture is None:
            return None
        with picture.open("rb") as jpeg:
            services.storage.write(key, jpeg, content_type=JPEG)
    return key


def _check_sha256(storage: Storage, video: Video) -> None:
    """Storage checks the sum of a single PUT by itself; that of a file in parts it does not know."""
    if video.sha256 is None or video.part_size is None:
        return
    digest = hashlib.sha256()
    for piece in storage.read(video.key, etag=video.etag):
        digest.update(piece)
    if digest.hexdigest() != video.sha256:
        message = "What arrived is not what was declared: its SHA-256 is another. Upload the file again."
        raise InvalidInput(message, code="CHECKSUM_MISMATCH")
