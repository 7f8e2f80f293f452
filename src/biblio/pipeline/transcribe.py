"""Step 4: sound to text with times, piece by piece. A piece that was heard is never heard again, whatever dies."""

import contextlib
import tempfile
import threading
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from biblio.domain.flow import Step
from biblio.domain.hearing import HeardBy, seconds_by, shares_of
from biblio.domain.rate_limit import RateLimit
from biblio.domain.transcript import Transcript, Word, sentences_of
from biblio.domain.video import Video
from biblio.errors import NotFound, Unavailable
from biblio.pipeline.admission import PATIENCE, Admission
from biblio.pipeline.artefacts import fetch, leave
from biblio.pipeline.lease import Lease
from biblio.pipeline.quota import check_quota
from biblio.pipeline.quota_wait import QuotaWait
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
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
    lease.at_end.extend(partial(_count, claim.video, used) for used in _used(transcript))
    return {"transcript": leave(services, claim, "transcript.json", transcript.as_json())}


def _hear(services: Services, lease: Lease, audio: Path, duration: float) -> Transcript:
    draft = Draft(services, lease)
    _may_cost(services, lease, draft)
    call = HearingCall(services, lease, draft)
    call.until_taken(lambda: _hear_on(services, lease, audio, duration, draft, call))
    shares = shares_of(draft.heard_by, duration)
    most = next(iter(seconds_by(shares)), draft.asked)
    return Transcript(draft.language, duration, sentences_of(draft.words), most.engine, most.model, shares)


def _used(transcript: Transcript) -> list[Used]:
    """Each engine's own seconds."""
    seconds = seconds_by(transcript.shares) or {HeardBy(transcript.engine, transcript.model): transcript.duration}
    return [Used(SECONDS_TRANSCRIBED, amount, f"{by.engine} {by.model}") for by, amount in seconds.items()]


def _count(video: Video, used: Used, tx: Transaction) -> None:
    tx.usage.add(video, used)


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
            if heard.until > draft.until:
                call.works()
            draft.add(heard)
            _go_on(lease, heard.until / duration if duration else 1.0, call)


def _go_on(lease: Lease, done: float, call: "HearingCall") -> None:
    """A worker that is to stop waits for the calls under way, which are paid for; no other is made (`Lease.check`)."""
    try:
        lease.report(done)
    except Unavailable:
        if not call.is_under_way:
            raise


def _rest(
    services: Services, lease: Lease, audio: Path, draft: "Draft", call: "HearingCall"
) -> Generator[Heard, None, None]:
    options = lease.claim.video.options
    language = options.language or draft.language or None
    return services.speech.transcribe(audio, language=language, model=options.model, since=draft.until, call=call)


class HearingCall(Admission):
    """What the engine notes is kept beside the words. `is_under_way`: a call is made just now."""

    def __init__(self, services: Services, lease: Lease, draft: "Draft") -> None:
        self._quota_wait = QuotaWait(services, lease)
        super().__init__(services, lease.claim.video.user_id, patience=PATIENCE, sign=self._quota_wait)
        self._draft = draft
        self._turn = threading.Lock()
        self._under_way = 0

    @property
    def is_under_way(self) -> bool:
        return self._under_way > 0

    @contextlib.contextmanager
    def admit(self, limit: RateLimit, units: float) -> Iterator[None]:
        with super().admit(limit, units):
            self._count(1)
            try:
                yield
            finally:
                self._count(-1)

    def _count(self, calls: int) -> None:
        with self._turn:
            self._under_way += calls

    def works(self) -> None:
        """More was heard."""
        self._quota_wait.works()

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
        self.heard_by: list[tuple[float, HeardBy]] = []
        """Where each piece ends, and whose it is."""
        self.asked = HeardBy(services.speech.name, services.speech.model_name(lease.claim.video.options.model))
        self._turn = threading.Lock()  # engines note from threads of their own
        self.notes: dict[str, str] = {}
        """Operations that were begun at a service, by the engine's own name of them."""
        self._take_up(lease.claim.checkpoint)

    def add(self, heard: Heard) -> None:
        """Raises `LeaseLost`, and what storage and catalog raise."""
        self.words.extend(heard.words)
        self.language = self.language or heard.language
        self.until = heard.until
        if heard.ends_piece:
            self._keep(heard.by or self.asked)

    def rewind(self) -> None:
        """Forget what was said of a piece that did not come to its end."""
        del self.words[self._kept :]
        self.until = self._kept_until
        if not self._keys:
            self.language = ""

    def note(self, name: str, value: str) -> None:
        """Raises as `Lease.note`; an empty value is forgotten with the next thing that is kept."""
        with self._turn:
            if not value:
                self.notes.pop(name, None)
                return
            self.notes[name] = value
            self._lease.note(self._checkpoint())

    def _take_up(self, checkpoint: dict[str, Any]) -> None:
        """What was heard with another language or model in mind is not gone on from.

        A piece that is gone, or whose engine is not asked any more, costs itself and what came after it.
        """
        engine, model, *options = checkpoint.get("heard_by", (None, None))
        if options != self._options():
            return
        self.notes = dict(checkpoint.get("notes", {}))
        hearers = self._services.hearers(self._lease.claim.video.options.model)
        with contextlib.suppress(NotFound):
            for key in checkpoint["pieces"]:
                piece = fetch(self._services, key)
                by = HeardBy(*piece.get("by", (engine, model)))
                if by not in hearers:
                    break
                self.words.extend(Word(*row) for row in piece["words"])
                self.language, self.until = piece["language"], piece["until"]
                self._keys.append(key)
                self.heard_by.append((self.until, by))
        self._kept, self._kept_until = len(self.words), self.until

    def _keep(self, by: HeardBy) -> None:
        words = [[word.text, word.start, word.end] for word in self.words[self._kept :]]
        piece = {"until": self.until, "language": self.language, "words": words, "by": [by.engine, by.model]}
        key = leave(self._services, self._lease.claim, f"piece-{len(self._keys):04}.json", piece)
        with self._turn:
            self._keys.append(key)
            self.heard_by.append((self.until, by))
            self._kept, self._kept_until = len(self.words), self.until
            self._lease.save(self._checkpoint())

    def _checkpoint(self) -> dict[str, Any]:
        heard_by = [self.asked.engine, self.asked.model, *self._options()]
        return {"heard_by": heard_by, "pieces": self._keys, "notes": self.notes}

    def _options(self) -> list[str | None]:
        options = self._lease.claim.video.options
        return [options.model, options.language]
