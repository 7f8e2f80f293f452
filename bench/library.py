"""A catalog and a vector store that are filled without films: what is measured is search."""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from biblio import bootstrap
from biblio.domain.flow import Status
from biblio.domain.passages import Passage, in_context, passage_id, passages_of
from biblio.domain.transcript import Sentence, Transcript
from biblio.domain.video import Options, Video
from biblio.local.folder import DataFolder
from biblio.local.stack import LocalStack
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector
from biblio.ports.passages import IndexedPassage
from biblio.ports.vectors import Owner, VectorRecord
from biblio.settings import Settings, read_settings

NAMES = uuid.UUID("5e7b0c1e-3a52-5d0c-9a77-b1b110000002")


@contextmanager
def engines(**settings: str) -> Iterator[Settings]:
    """The real ones, fresh, with nothing in them. `settings` without their BIBLIO_."""
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder:
        stack = LocalStack(DataFolder(Path(folder)), programs=lambda *_: (), prepare=lambda _: None)
        with stack:
            yield read_settings({f"BIBLIO_{name}": value for name, value in settings.items()}, defaults=stack.addresses)


@contextmanager
def services_of(settings: Settings) -> Iterator[Services]:
    services = bootstrap.build(settings)
    services.catalog.prepare()
    services.vectors.prepare()
    yield services
    bootstrap.close(services)


def add_user(services: Services, name: str) -> str:
    with services.catalog.transaction() as tx:
        return tx.users.add(f"{name} {uuid.uuid4().hex[:8]}")


def video_of(user_id: str, name: str, title: str) -> Video:
    now = datetime.now(UTC)
    video_id = str(uuid.uuid5(NAMES, f"{user_id}/{name}"))
    place = f"videos/{video_id}/original.mp4"
    return Video(
        video_id,
        user_id,
        title,
        "bench.mp4",
        1,
        "video/mp4",
        place,
        Status.COMPLETED,
        Options(),
        now,
        now,
        meta_info={},
    )


def add_lecture(services: Services, video: Video, sentences: Sequence[Sentence], vectors: Sequence[Vector]) -> None:
    """As the steps embed and index do, in one go. `vectors` are the sentences' own."""
    passages = passages_of(sentences)
    transcript = Transcript("ko", sentences[-1].end if sentences else 0.0, tuple(sentences), "bench", "none")
    rows = [IndexedPassage(passage_id(video.id, video.generation, one.position), one) for one in passages]
    services.vectors.upsert(Owner(video.user_id, video.id, video.generation), list(_records(rows, passages, vectors)))
    with services.catalog.transaction() as tx:
        tx.videos.add(video)
        tx.passages.write(video, rows)
        tx.passages.switch(replace(video, meta_info={"passages": len(rows)}), transcript)


def _records(
    rows: Sequence[IndexedPassage], passages: Sequence[Passage], vectors: Sequence[Vector]
) -> Iterator[VectorRecord]:
    for row, values in zip(rows, in_context(passages, vectors), strict=True):
        yield VectorRecord(row.id, values, row.passage.start, row.passage.end, row.passage.text)
