"""Step 5: a new generation of the index beside the old one, proved by a search, then switched to at once."""

import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from biblio.domain.flow import Step
from biblio.domain.passages import passages_of
from biblio.domain.search import terms_of
from biblio.domain.transcript import Transcript
from biblio.domain.video import Video
from biblio.errors import Rejected, Unavailable
from biblio.pipeline.artefacts import fetch, unpacked
from biblio.pipeline.lease import Lease
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.passages import IndexedPassage, Passages
from biblio.ports.vectors import Owner, VectorRecord

NAMESPACE = uuid.UUID("5e7b0c1e-3a52-5d0c-9a77-b1b110000001")
BATCH = 500


def index(services: Services, lease: Lease) -> dict[str, Any]:
    """Vectors first; then rows and switch, in the transaction that ends the step. Until then readers see the old ones.

    What a failure leaves of the new generation, `cleanup` removes.
    """
    video = lease.claim.video
    transcript = Transcript.from_json(fetch(services, lease.claim.results[Step.TRANSCRIBE]["transcript"]))
    rows = [
        IndexedPassage(passage_id(video, passage.position), passage) for passage in passages_of(transcript.sentences)
    ]
    _write_vectors(services, lease, rows)
    lease.report(0.7)
    lease.at_end.append(partial(_switch, _described(services, video, transcript, rows), transcript, rows))
    return {"passages": len(rows), "space": services.embedder.space}


def passage_id(video: Video, position: int) -> str:
    """The same for every attempt, so that writing twice leaves one."""
    return str(uuid.uuid5(NAMESPACE, f"{video.id}/{video.generation}/{position}"))


def _write_vectors(services: Services, lease: Lease, rows: list[IndexedPassage]) -> None:
    video = lease.claim.video
    owner = Owner(video.user_id, video.id, video.generation)
    left = fetch(services, lease.claim.results[Step.EMBED]["vectors"])
    if left["space"] != services.embedder.space or len(left["vectors"]) != len(rows):
        raise Rejected("The vectors were made by another embedder: embed the video anew.", code="STALE_VECTORS")
    records = [
        VectorRecord(row.id, unpacked(vector), row.passage.start, row.passage.end, row.passage.text)
        for row, vector in zip(rows, left["vectors"], strict=True)
    ]
    for first in range(0, len(records), BATCH):
        services.vectors.upsert(owner, records[first : first + BATCH])
        lease.report(0.6 * (first + BATCH) / len(records))
    if records:
        _probe_vectors(services, owner, records[-1])


def _probe_vectors(services: Services, owner: Owner, record: VectorRecord) -> None:
    near = services.vectors.search(owner.user_id, record.values, limit=5, video_ids=[owner.video_id])
    # Two passages may say the same words, so the nearest may be a twin; it must be as near.
    if not any(hit.generation == owner.generation and hit.similarity > 0.99 for hit in near):
        raise Unavailable("The vector store does not find what was just written.", code="INDEX_NOT_READABLE")


def _described(services: Services, video: Video, transcript: Transcript, rows: list[IndexedPassage]) -> Video:
    about = {"engine": transcript.engine, "model": transcript.model, "passages": len(rows)}
    return replace(video, meta_info={**about, "embedder": services.embedder.space})


def _switch(video: Video, transcript: Transcript, rows: list[IndexedPassage], tx: Transaction) -> None:
    tx.passages.write(video, transcript, rows)
    tx.passages.switch(video, transcript)
    if rows:
        _probe_terms(tx.passages, video, rows[-1])


def _probe_terms(passages: Passages, video: Video, row: IndexedPassage) -> None:
    terms = terms_of(row.passage.text)
    if terms and not passages.by_terms(video.user_id, terms, limit=1, video_ids=[video.id]):
        raise Unavailable("The catalog does not find what was just written.", code="INDEX_NOT_READABLE")
