"""A road for videos that is walked by hand: real engines, only the ears are scripted."""

import io
import math
import secrets
import struct
import time
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import httpx
import psycopg

from biblio.bootstrap import build, engines
from biblio.domain.flow import Queue, Status
from biblio.domain.video import Video
from biblio.errors import NotFound
from biblio.pipeline import runner
from biblio.pipeline.check import check
from biblio.pipeline.drift import Drift, drifts_of
from biblio.pipeline.lease import Worker
from biblio.pipeline.services import Limits, Services
from biblio.pipeline.sweep import sweep
from biblio.pipeline.trigger import complete_upload
from biblio.pipeline.upload import NewVideo, begin_upload
from biblio.ports.events import Event
from biblio.ports.storage import SignedRequest
from biblio.settings import read_settings
from tests.database import look_into

RATE = 8000
SECONDS = 40
"""Of the film that is sent: ten or so passages."""
PATIENCE = 180.0
WORKER = Worker("the one who walks")


@dataclass(frozen=True)
class Road:
    """`services` are those of one process, API or worker."""

    services: Services
    addresses: Mapping[str, str]

    def limited(self, **limits: Any) -> "Road":
        return replace(self, services=replace(self.services, limits=replace(Limits(), **limits)))

    def sql(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return look_into(self.addresses["BIBLIO_DATABASE"])

    def new_user(self) -> str:
        with self.services.catalog.transaction() as tx:
            return tx.users.add(f"walker {secrets.token_hex(6)}")

    def sent(self, user: str) -> Video:
        """Its bytes are in storage, and nobody has said so."""
        with self.services.catalog.transaction() as tx:
            video, upload = begin_upload(self.services, tx, user, NewVideo("tone.wav", len(tone()), "audio/wav"))
        assert isinstance(upload, SignedRequest)
        httpx.put(upload.url, content=tone(), headers=dict(upload.headers)).raise_for_status()
        return video

    def begun(self, user: str) -> Video:
        """Set on its road."""
        return complete_upload(self.services, user, self.sent(user).id)

    def at(self, status: Status, user: str) -> Video:
        """On its road as far as `status`; whatever comes before is done."""
        return self.walk(self.begun(user), status)

    def walk(self, video: Video, status: Status = Status.COMPLETED) -> Video:
        """Work until the video has reached `status`; other videos' jobs may be done on the way."""
        deadline = time.monotonic() + PATIENCE
        while (now := self.now(video)).status is not status:
            assert time.monotonic() < deadline, now
            assert now.status is not Status.FAILED, now.failure
            assert any(self.work(queue) for queue in Queue), now
        return now

    def work(self, queue: Queue, worker: Worker = WORKER) -> bool:
        return runner.work(self.services, queue, worker)

    def drain(self) -> None:
        """Do whatever is due now, and what follows from it."""
        while any(self.work(queue) for queue in Queue):
            pass

    def finish(self) -> None:
        """Do whatever is open, its pauses and leases being over at once; sweeping, as the workers do."""
        deadline = time.monotonic() + PATIENCE
        while self.open_jobs():
            assert time.monotonic() < deadline, self.open_jobs()
            self.make_due()
            sweep(self.services)
            self.drain()

    def open_jobs(self) -> list[tuple[Any, ...]]:
        """Video, step and state of all that is to be done or being done."""
        current = "FROM jobs JOIN videos v ON v.id = video_id AND v.generation = jobs.generation"
        with self.sql() as connection:
            return connection.execute(
                f"SELECT video_id::text, jobs.step, state {current} WHERE state IN ('READY', 'RUNNING')"
            ).fetchall()

    def make_due(self) -> None:
        """Pauses are over, and so are leases: whoever held one is dead, or has lost it."""
        with self.sql() as connection:
            connection.execute("UPDATE jobs SET not_before = NULL WHERE state = 'READY'")
            connection.execute("UPDATE jobs SET lease_until = now() - interval '1 s' WHERE state = 'RUNNING'")

    def void(self) -> None:
        """Whatever is open, of this test or another, is nobody's any more."""
        with self.sql() as connection:
            connection.execute("UPDATE jobs SET state = 'FAILED' WHERE state IN ('READY', 'RUNNING')")

    def forget(self, user: str) -> None:
        """As if its videos had never been, so that later tests have less to look through."""
        with self.sql() as connection:
            mine = connection.execute("DELETE FROM videos WHERE user_id = %s RETURNING id::text", (user,)).fetchall()
            for (video_id,) in mine:
                connection.execute("DELETE FROM uploads WHERE video_id = %s", (video_id,))
        for (video_id,) in mine:
            self.services.storage.remove(f"videos/{video_id}/")
            self.services.vectors.remove(user, video_id)

    def now(self, video: Video) -> Video:
        with self.services.catalog.transaction() as tx:
            return tx.videos.get(video.id)

    def events(self, video: Video) -> list[Event]:
        with self.services.catalog.transaction() as tx:
            return list(tx.events.after(video.user_id, 0, limit=10_000, video_id=video.id))

    def jobs(self, video: Video) -> list[tuple[Any, ...]]:
        """(step, state, tries, deaths) of the video's generation."""
        query = (
            "SELECT step, state, tries, deaths FROM jobs WHERE video_id = %s AND generation = %s ORDER BY created_at"
        )
        with self.sql() as connection:
            return connection.execute(query, (video.id, self.now(video).generation)).fetchall()

    def generations(self, video: Video) -> tuple[set[int], set[int]]:
        """Those of the rows, and those of the vectors."""
        with self.services.catalog.transaction() as tx:
            rows = set(tx.passages.ids(video.id))
        return rows, set(self.services.vectors.ids(video.user_id, video.id))

    def drift(self, video: Video, *, mend: bool = False) -> list[Drift]:
        """What `check` finds wrong with this video; it looks through those of other tests only for one that is gone."""
        with suppress(NotFound):
            now = self.now(video)
            if not now.upload_has_ended:
                return list(drifts_of(self.services, now, mend))
        return [one for one in check(self.services, mend=mend) if video.id in one.where]

    def objects(self, video: Video) -> set[str]:
        return {one.key for one in self.services.storage.inventory.objects(f"videos/{video.id}/")}


@contextmanager
def open_road(addresses: Mapping[str, str], speech: str = "scripted://") -> Iterator[Road]:
    """What other tests left open is not done here, nor left for others."""
    services = build(read_settings({"BIBLIO_SPEECH": speech}, defaults=addresses))
    for engine in engines(services).values():
        engine.prepare()
    road = Road(services, addresses)
    road.void()
    yield road
    road.void()
    for engine in engines(services).values():
        engine.close()


@cache
def tone() -> bytes:
    """A film of nothing but a sound."""
    samples = (int(8000 * math.sin(2 * math.pi * 440 * place / RATE)) for place in range(SECONDS * RATE))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()
