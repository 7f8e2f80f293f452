"""Fill the space of another embedder beside the one that is searched. Nothing changes for readers until the switch."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from biblio.domain.flow import Status
from biblio.domain.passages import in_context, passages_of
from biblio.domain.video import Video
from biblio.errors import NotFound
from biblio.pipeline.admission import Admission
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector
from biblio.ports.vectors import Owner, VectorRecord

PAGE = 200
LARGEST_BATCH = 64
PATIENCE = 24 * 3600.0
"""Seconds: nobody else takes the work up."""


@dataclass(frozen=True)
class Filled:
    """A video and how many vectors were made for it; none where they were there already."""

    video: Video
    vectors: int


def reembed(services: Services, new: Services) -> Iterator[Filled]:
    """Every indexed video, one after the other; may be broken off and begun again. `new` has the other embedder.

    Raises what the embedder and the stores raise.
    """
    after = ""
    while True:
        with services.catalog.transaction() as tx:
            page = tx.holdings.videos(after=after, limit=PAGE)
        for video in page:
            if video.indexed_generation is not None and video.status is not Status.DELETING:
                yield Filled(video, _fill(services, new, video, video.indexed_generation))
        if len(page) < PAGE:
            return
        after = page[-1].id


def _fill(services: Services, new: Services, video: Video, generation: int) -> int:
    with services.catalog.transaction(snapshot=True) as tx:
        ids = tx.passages.ids(video.id).get(generation, [])
        passages = passages_of(tx.videos.transcript(video.id)[1])
    if set(new.vectors.ids(video.user_id, video.id).get(generation, [])) == set(ids) or len(ids) != len(passages):
        return 0
    alone: list[Vector] = []
    call = Admission(new, video.user_id, patience=PATIENCE)
    size = min(LARGEST_BATCH, new.embedder.texts_at_once)
    for first in range(0, len(passages), size):
        batch = [one.text for one in passages[first : first + size]]
        alone += call.until_taken(partial(new.embedder.embed_documents, batch, call=call))
    records = [
        VectorRecord(one, values, passage.start, passage.end, passage.text)
        for one, passage, values in zip(ids, passages, in_context(passages, alone), strict=True)
    ]
    new.vectors.upsert(Owner(video.user_id, video.id, generation), records)
    if not _is_still_shown(services, video, generation):
        new.vectors.remove(video.user_id, video.id, generation=generation)
    return len(records)


def _is_still_shown(services: Services, video: Video, generation: int) -> bool:
    """What was deleted or indexed anew meanwhile would leave vectors that nobody removes."""
    try:
        with services.catalog.transaction() as tx:
            now = tx.videos.get(video.id)
    except NotFound:
        return False
    return now.indexed_generation == generation and now.status is not Status.DELETING
