"""Step 4, second half: the vector of every sentence, with what is said around it."""

import time
from collections.abc import Sequence
from contextlib import suppress
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
"""Passages embedded between two reports, in one call of a service."""
KEEP_EVERY = 2.0
"""Seconds of embedding that a killed worker may cost."""


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
    draft, size = Draft(services, lease), min(LARGEST_BATCH, services.embedder.texts_at_once)
    call = Admission(services, lease.claim.video.user_id, patience=PATIENCE, sign=QuotaWait(services, lease))
    try:
        while (done := len(draft.vectors)) < len(texts):
            batch = texts[done : done + size]
            draft.add(call.until_taken(partial(services.embedder.embed_documents, batch, call=call)))
            lease.report(len(draft.vectors) / len(texts))
    except (RateLimited, Unavailable):
        draft.keep()
        raise
    return draft.vectors


class Draft:
    """The vectors so far, of each text alone. They lie in storage a part at a time, and a checkpoint names the parts:
    whatever ends this attempt, they are paid for."""

    def __init__(self, services: Services, lease: Lease) -> None:
        self.vectors: list[Vector] = []
        self._services, self._lease = services, lease
        self._keys: list[str] = []
        checkpoint = lease.claim.checkpoint
        if checkpoint.get("space") == services.space:
            self._take_up(checkpoint.get("parts", ()))
        self._kept, self._kept_at = len(self.vectors), time.monotonic()

    def add(self, vectors: Sequence[Vector]) -> None:
        """Raises as `keep`."""
        self.vectors.extend(vectors)
        if time.monotonic() - self._kept_at >= KEEP_EVERY:
            self.keep()

    def keep(self) -> None:
        """Raises `LeaseLost`, and what storage and catalog raise."""
        if self._kept == len(self.vectors):
            return
        part = {"vectors": [packed(vector) for vector in self.vectors[self._kept :]]}
        self._keys.append(leave(self._services, self._lease.claim, f"vectors-{len(self._keys):04}.json", part))
        self._lease.save({"space": self._services.space, "parts": self._keys})
        self._kept, self._kept_at = len(self.vectors), time.monotonic()

    def _take_up(self, keys: Sequence[str]) -> None:
        """A part that is gone costs itself and what came after it."""
        with suppress(NotFound):
            for key in keys:
                self.vectors.extend(unpacked(text) for text in fetch(self._services, key)["vectors"])
                self._keys.append(key)
