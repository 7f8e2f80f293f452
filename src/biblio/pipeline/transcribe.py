"""Step 4: sound to text with times."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from biblio.domain.flow import Step
from biblio.domain.transcript import Transcript, Word, sentences_of
from biblio.pipeline.artefacts import leave
from biblio.pipeline.lease import Lease
from biblio.pipeline.services import Services


def transcribe(services: Services, lease: Lease) -> dict[str, Any]:
    """Leaves the transcript in storage; `{transcript}`: its key. Silence gives an empty transcript, not a failure."""
    claim = lease.claim
    extracted = claim.results[Step.EXTRACT]
    with tempfile.TemporaryDirectory(prefix="biblio-") as folder:
        audio = Path(folder) / "speech.flac"
        with audio.open("wb") as file:
            file.writelines(services.storage.read(extracted["speech"]))
        transcript = _hear(services, lease, audio, extracted["duration"])
    return {"transcript": leave(services, claim, "transcript.json", transcript.as_json())}


def _hear(services: Services, lease: Lease, audio: Path, duration: float) -> Transcript:
    options = lease.claim.video.options
    words: list[Word] = []
    language = ""
    pieces = services.speech.transcribe(audio, language=options.language, model=options.model)
    with contextlib.closing(pieces):
        for piece in pieces:
            words.extend(piece.words)
            language = language or piece.language
            lease.report(piece.until / duration if duration else 1.0)
    return Transcript(
        language, duration, sentences_of(words), services.speech.name, services.speech.model_name(options.model)
    )
