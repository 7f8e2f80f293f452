"""Step 4: sound to text with times, piece by piece. A piece that was heard is never heard again, whatever dies."""

import contextlib
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from biblio.domain.flow import Step
from biblio.domain.transcript import Transcript, Word, sentences_of
from biblio.errors import NotFound
from biblio.pipeline.admission import PATIENCE, Admission
from biblio.pipeline.artefacts import fetch, leave
from biblio.pipeline.lease import Lease
from biblio.pipeline.quota import check_quota
from biblio.pipeline.quota_wait import QuotaWait
from biblio.pipeline.services import Services
from biblio.ports.speech import Heard
from biblio.ports.usage import SECONDS_TRANSCRIBED, Used


def transcribe(services: Services, lease: Lease) -> dict[str, Any]:
    """Leaves the transcript in storage; `{transcript}`: its key. Silence gives an empty transcript, not a failure."""
    claim = lease.claim
    extracted = claim.results[Step.EXTRACT]
    with tempfile.TemporaryDirectory(prefix="biblio-") as folder:
        audio = Path(folder) / "speech.flac"
        with audio.open("wb") as file:
            file.writelines(services.storage.read(extracted["speech"]))
        transcript = _hear(services, lease, audio, extracted["duration"])
    used = Used(SECONDS_TRANSCRIBED, transcript.duration, f"{transcript.engine} {transcript.model}")
    lease.at_end.append(lambda tx: tx.usage.add(claim.video, used))
    return {"transcript": leave(services, claim, "transcript.json", transcript.as_json())}


def _hear(services: Services, lease: Lease, audio: Path, duration: float) -> Transcript:
    draft = Draft(services, lease)
    _may_cost(services, lease, draft)
    call = HearingCall(services, lease, draft)
    call.until_taken(lambda: _hear_on(services, lease, audio, duration, draft, call))
    model = services.speech.model_name(lease.claim.video.options.model)
    return Transcript(draft.language, duration, sentences_of(draft.words), services.speech.name, model)


def _may_cost(services: Services, lease: Lease, draft: "Draft") -> None:
    """Asked once more, because many may have been announced while there was room. Raises `QuotaExceeded`, `LeaseLost`.

    What was begun is finished.
    """
    lease.confirm()
    if not draft.until:
        with services.catalog.transaction() as tx:
            check_quota(services, tx, lease.claim.video.user_id)


def _hear_on(
    services: Services, lease: Lease, audio: Path, duration: float, draft: "Draft", call: "HearingCall"
) -> None:
    """From the last piece that was kept to the end."""
    draft.rewind()
    with contextlib.closing(_rest(services, lease, audio, draft, call)) as rest:
        for heard in rest:
            draft.add(heard)
            lease.report(heard.until / duration if duration else 1.0)


def _rest(
    services: Services, lease: Lease, audio: Path, draft: "Draft", call: "HearingCall"
) -> Generator[Heard, None, None]:
    options = lease.claim.video.options
    language = options.language or draft.language or None
    return services.speech.transcribe(audio, language=language, model=options.model, since=draft.until, call=call)


class HearingCall(Admission):
    """What the engine notes is kept beside the words."""

    def __init__(self, services: Services, lease: Lease, draft: "Draft") -> None:
        sign = QuotaWait(services, lease)
        super().__init__(services, lease.claim.video.user_id, patience=PATIENCE, sign=sign)
        self._draft = draft

    def recall(self, name: str) -> str | None:
        return self._draft.notes.get(name)

    def note(self, name: str, value: str) -> None:
        self._draft.note(name, value)


class Draft:
    """All words so far. Every finished piece lies in storage, and a checkpoint in the job row names it.

    The object is written first: a checkpoint never names what is not there. A crash between the two leaves an object
    that nothing names, which is cleared up later, and costs the piece; so does a storage or a catalog that is away.
    """

    def __init__(self, services: Services, lease: Lease) -> None:
        self.words: list[Word] = []
        self.language = ""
        self.until = 0.0
        self._services = services
        self._lease = lease
        self._keys: list[str] = []
        self._kept, self._kept_until = 0, 0.0
        self._heard_by = _heard_by(services, lease)
        self._turn = threading.Lock()  # engines note from threads of their own
        self.notes: dict[str, str] = {}
        """Operations that were begun at a service, by the engine's own name of them."""
        if lease.claim.checkpoint.get("heard_by") == self._heard_by:
            self.notes = dict(lease.claim.checkpoint.get("notes", {}))
            self._take_up(lease.claim.checkpoint["pieces"])

    def add(self, heard: Heard) -> None:
        """Raises `LeaseLost`, and what storage and catalog raise."""
        self.words.extend(heard.words)
        self.language = self.language or heard.language
        self.until = heard.until
        if heard.ends_piece:
            self._keep()

    def rewind(self) -> None:
        """Forget what was said of a piece that did not come to its end."""
        del self.words[self._kept :]
        self.until = self._kept_until

    def note(self, name: str, value: str) -> None:
        """Raises as `Lease.note`; an empty value is forgotten with the next thing that is kept."""
        with self._turn:
            if not value:
                self.notes.pop(name, None)
                return
            self.notes[name] = value
            self._lease.note(self._checkpoint())

    def _take_up(self, keys: list[str]) -> None:
        """A piece that is gone costs itself and what came after it."""
        with contextlib.suppress(NotFound):
            for key in keys:
                piece = fetch(self._services, key)
                self.words.extend(Word(*row) for row in piece["words"])
                self.language, self.until = piece["language"], piece["until"]
                self._keys.append(key)
        self._kept, self._kept_until = len(self.words), self.until

    def _keep(self) -> None:
        words = [[word.text, word.start, word.end] for word in self.words[self._kept :]]
        piece = {"until": self.until, "language": self.language, "words": words}
        key = leave(self._services, self._lease.claim, f"piece-{len(self._keys):04}.json", piece)
        with self._turn:
            self._keys.append(key)
            self._kept, self._kept_until = len(self.words), self.until
            self._lease.save(self._checkpoint())

    def _checkpoint(self) -> dict[str, Any]:
        return {"heard_by": self._heard_by, "pieces": self._keys, "notes": self.notes}


def _heard_by(services: Services, lease: Lease) -> list[str | None]:
    """Words of another engine, model or language are not continued."""
    options, speech = lease.claim.video.options, services.speech
    return [speech.name, speech.model_name(options.model), options.model, options.language]
