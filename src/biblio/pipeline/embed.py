"""Step 4, second half: the vector of every sentence, with what is said around it."""

from typing import Any

from biblio.domain.flow import Step
from biblio.domain.passages import in_context, passages_of
from biblio.domain.transcript import Transcript
from biblio.pipeline.admission import PATIENCE, Admission
from biblio.pipeline.artefacts import fetch, leave, packed
from biblio.pipeline.lease import Lease
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector
from biblio.ports.usage import TOKENS_EMBEDDED, Used

BATCH = 32
"""Passages embedded between two reports."""


def embed(services: Services, lease: Lease) -> dict[str, Any]:
    """Leaves the vectors in storage; `{vectors}`: their key. They are in the order of `passages_of` the transcript."""
    transcript = Transcript.from_json(fetch(services, lease.claim.results[Step.TRANSCRIBE]["transcript"]))
    passages = passages_of(transcript.sentences)
    texts = [passage.text for passage in passages]
    alone: list[Vector] = []
    lease.confirm()
    call = Admission(services, lease.claim.video.user_id, patience=PATIENCE, on_wait=lease.check)
    for first in range(0, len(texts), BATCH):
        alone += services.embedder.embed_documents(texts[first : first + BATCH], call=call)
        lease.report(len(alone) / len(texts))
    used = Used(TOKENS_EMBEDDED, services.embedder.count_tokens(texts), services.embedder.space)
    lease.at_end.append(lambda tx: tx.usage.add(lease.claim.video, used))
    content = {"space": services.space, "vectors": [packed(vector) for vector in in_context(passages, alone)]}
    return {"vectors": leave(services, lease.claim, "vectors.json", content)}
