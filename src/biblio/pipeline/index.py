"""Step 5: a new generation of the index beside the old one, proved by a search, then switched to at once."""

from dataclasses import replace
from functools import partial
from typing import Any

from biblio.domain.flow import Step
from biblio.domain.passages import passage_id, passages_of
from biblio.domain.search import Scope
from biblio.domain.transcript import Transcript
from biblio.domain.video import Video
from biblio.domain.words import asked_terms
from biblio.errors import Rejected, Unavailable
from biblio.pipeline.artefacts import fetch, unpacked
from biblio.pipeline.lease import Lease
from biblio.pipeline.services import Services
from biblio.ports.catalog import Transaction
from biblio.ports.finder import Finder
from biblio.ports.passages import IndexedPassage
from biblio.ports.vectors import Owner, VectorRecord

BATCH = 500


def index(services: Services, lease: Lease) -> dict[str, Any]:
    """Vectors first; then rows and switch, in the transaction that ends the step. Until then readers see the old ones.

    What a failure leaves of the new generation, `cleanup` removes.
    """
    video = lease.claim.video
    transcript = Transcript.from_json(fetch(services, lease.claim.results[Step.TRANSCRIBE]["transcript"]))
    rows = [
        IndexedPassage(passage_id(video.id, video.generation, one.position), one)
        for one in passages_of(transcript.sentences)
    ]
    _write_vectors(services, lease, rows)
    lease.report(0.7)
    lease.at_end.append(partial(_switch, _described(services, video, transcript, rows), transcript, rows))
    return {"passages": len(rows), "space": services.space}


def _write_vectors(services: Services, lease: Lease, rows: list[IndexedPassage]) -> None:
    video = lease.claim.video
    owner = Owner(video.user_id, video.id, video.generation)
    left = fetch(services, lease.claim.results[Step.EMBED]["vectors"])
    if left["space"] != services.space or len(left["vectors"]) != len(rows):
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
    near = services.vectors.search(owner.user_id, record.values, limit=5, scope=Scope(only=(owner.video_id,)))
    # Two passages may say the same words, so the nearest may be a twin; it must be as near.
    if not any(hit.generation == owner.generation and hit.similarity > 0.99 for hit in near):
        raise Unavailable("The vector store does not find what was just written.", code="INDEX_NOT_READABLE")


def _described(services: Services, video: Video, transcript: Transcript, rows: list[IndexedPassage]) -> Video:
    heard = [share.as_json() for share in transcript.shares]
    about = {"engine": transcript.engine, "model": transcript.model, "heard_by": heard, "passages": len(rows)}
    return replace(video, meta_info={**about, "embedder": services.space})


def _switch(video: Video, transcript: Transcript, rows: list[IndexedPassage], tx: Transaction) -> None:
    tx.passages.write(video, rows)
    tx.passages.switch(video, transcript)
    if rows:
        _probe_words(tx.finder, video, rows[-1])


def _probe_words(finder: Finder, video: Video, row: IndexedPassage) -> None:
    terms = asked_terms(row.passage.text)
    only = Scope(only=(video.id,))
    if terms and not finder.by_words(video.user_id, terms, limit=1, scope=only, also=[row.id]).get(row.id):
        raise Unavailable("The catalog does not find what was just written.", code="INDEX_NOT_READABLE")
