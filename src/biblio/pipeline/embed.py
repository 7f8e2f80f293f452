"""Step 4, second half: the vector of every sentence, with what is said around it."""

from functools import partial
from typing import Any

from biblio.domain.flow import Step
from biblio.domain.passages import in_context, passages_of
from biblio.domain.transcript import Transcript
from biblio.errors import NotFound, RateLimited, Unavailable
from biblio.pipeline.admission import PATIENCE, Admission
from biblio.pipeline.artefacts import fetch, leave, packed, unpacked
from biblio.pipeline.lease import Lease
from biblio.pipeline.quota_wait import QuotaWait
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector
from biblio.ports.usage import TOKENS_EMBEDDED, Used

LARGEST_BATCH = 64
"""Passages embedded between two reports, in one call of a service: what was answered before is not lost with it."""


def embed(services: Services, lease: Lease) -> dict[str, Any]:
    """Leaves the vectors in storage; `{vectors}`: their key. They are in the order of `passages_of` the transcript."""
    transcript = Transcript.from_json(fetch(services, lease.claim.results[Step.TRANSCRIBE]["transcript"]))
    passages = passages_of(transcript.sentences)
    texts = [passage.text for passage in passages]
    lease.confirm()
    alone = _embedded(services, lease, texts)
    used = Used(TOKENS_EMBEDDED, services.embedder.count_tokens(texts), services.embedder.space)
    lease.at_end.append(lambda tx: tx.usage.add(lease.claim.video, used))
    content = {"space": services.space, "vectors": [packed(vector) for vector in in_context(passages, alone)]}
    return {"vectors": leave(services, lease.claim, "vectors.json", content)}


def _embedded(services: Services, lease: Lease, texts: list[str]) -> list[Vector]:
    """What was embedded is kept, should the rest have to wait: it is paid for."""
    alone = _kept(services, lease)
    before, size = len(alone), min(LARGEST_BATCH, services.embedder.texts_at_once)
    call = Admission(services, lease.claim.video.user_id, patience=PATIENCE, sign=QuotaWait(services, lease))
    try:
        while len(alone) < len(texts):
            batch = texts[len(alone) : len(alone) + size]
            alone += call.until_taken(partial(services.embedder.embed_documents, batch, call=call))
            lease.report(len(alone) / len(texts))
    except (RateLimited, Unavailable):
        if len(alone) > before:
            _keep(services, lease, alone)
        raise
    return alone


def _keep(services: Services, lease: Lease, alone: list[Vector]) -> None:
    content = {"vectors": [packed(vector) for vector in alone]}
    lease.save({"space": services.space, "vectors": leave(services, lease.claim, "vectors-begun.json", content)})


def _kept(services: Services, lease: Lease) -> list[Vector]:
    checkpoint = lease.claim.checkpoint
    if checkpoint.get("space") != services.space:
        return []
    try:
        return [unpacked(text) for text in fetch(services, checkpoint["vectors"])["vectors"]]
    except NotFound:
        return []
