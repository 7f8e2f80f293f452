"""A talk on its road, a recogniser that counts its calls, and what it hears when nothing disturbs it."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from biblio.adapters.speech.scripted import connect
from biblio.bootstrap import build, engines
from biblio.domain.flow import Queue, Status, Step
from biblio.domain.transcript import Sentence, Transcript, sentences_of
from biblio.domain.video import Video
from biblio.dsn import Dsn
from biblio.local.sample import TALK
from biblio.pipeline import runner
from biblio.pipeline.artefacts import fetch
from biblio.pipeline.lease import Worker
from biblio.pipeline.services import Services
from biblio.pipeline.trigger import complete_upload
from biblio.pipeline.upload import NewVideo, begin_upload
from biblio.ports.storage import SignedRequest
from biblio.settings import read_settings

PATIENCE = 60.0
WORKER = Worker("hearing")
PIECES = "longest=10"
"""The talk has a dozen."""


@dataclass(frozen=True)
class Ear:
    """`settings` are those of a process that hears with it."""

    services: Services
    settings: Mapping[str, str]
    log: Path

    def calls(self, event: str) -> Counter[float]:
        """How often each piece was begun, or done."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(call["start"] for call in map(json.loads, lines) if call["event"] == event)


@contextmanager
def ear(addresses: Mapping[str, str], folder: Path, more: str = "") -> Iterator[Ear]:
    log = folder / "calls"
    settings = {**addresses, "BIBLIO_SPEECH": f"scripted://?{PIECES}&log={log}{more}"}
    services = build(read_settings(settings))
    for engine in engines(services).values():
        engine.prepare()
    yield Ear(services, settings, log)
    for engine in engines(services).values():
        engine.close()


def extracted(services: Services, film: Path = TALK) -> Video:
    """The film of a user of its own, which is next to be heard."""
    content = film.read_bytes()
    with services.catalog.transaction() as tx:
        user = tx.users.add(f"hearing {secrets.token_hex(4)}")
        video, upload = begin_upload(services, tx, user, NewVideo("talk.mp4", len(content), "video/mp4"))
    assert isinstance(upload, SignedRequest)
    httpx.put(upload.url, content=content, headers=dict(upload.headers)).raise_for_status()
    complete_upload(services, user, video.id)
    return work_until(services, video, Queue.MEDIA, lambda now: now.status is Status.TRANSCRIBING)


def heard(services: Services, video: Video) -> Video:
    return work_until(services, video, Queue.AI, lambda now: now.status is not Status.TRANSCRIBING)


def work_until(services: Services, video: Video, queue: Queue, reached: Callable[[Video], bool]) -> Video:
    """Other videos' jobs of the queue are done on the way."""
    deadline = time.monotonic() + PATIENCE
    while not reached(now := seen(services, video)):
        assert time.monotonic() < deadline, now
        if not runner.work(services, queue, WORKER):
            time.sleep(0.05)
    return now


def seen(services: Services, video: Video) -> Video:
    with services.catalog.transaction() as tx:
        return tx.videos.get(video.id)


def transcript(services: Services, video: Video) -> Transcript:
    with services.catalog.transaction() as tx:
        results = tx.jobs.results(video, video.generation)
    return Transcript.from_json(fetch(services, results[Step.TRANSCRIBE]["transcript"]))


def undisturbed(services: Services, video: Video, folder: Path) -> tuple[tuple[Sentence, ...], list[float]]:
    """What one run hears, and where its pieces begin."""
    with services.catalog.transaction() as tx:
        results = tx.jobs.results(video, video.generation)
    audio = folder / "speech.flac"
    audio.write_bytes(b"".join(services.storage.read(results[Step.EXTRACT]["speech"])))
    run = list(connect(Dsn.parse(f"scripted://?{PIECES}")).transcribe(audio, language=None, model=None))
    ends = [one.until for one in run if one.ends_piece]
    return sentences_of(word for one in run for word in one.words), [0.0, *ends[:-1]]
