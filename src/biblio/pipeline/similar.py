"""A moment in, moments out that are about the same."""

from collections.abc import Sequence
from dataclasses import replace

from biblio.domain.passages import AROUND, Passage, in_context, passages_of
from biblio.domain.search import READING, WHOLE_WORDS, Found, Mode, found_of, grouped, ranked
from biblio.errors import NotFound
from biblio.pipeline.admission import question_call
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector

CANDIDATES = 100


def similar(
    services: Services, user_id: str, video_id: str, seconds: float, *, limit: int = 10, moments: int = 5
) -> tuple[Passage, tuple[Found, ...]]:
    """The passage at this second of the video, and what is like it. Raises `NotFound`."""
    with services.catalog.transaction() as tx:
        tx.videos.get(video_id, user_id=user_id)
        said = passages_of(tx.videos.transcript(video_id)[1])
    position = _position(said, seconds)
    passage, vector = said[position], _vector(services, user_id, said, position)
    with services.catalog.transaction(snapshot=True) as tx:
        near = {hit.id: hit.similarity for hit in services.vectors.search(user_id, vector, limit=CANDIDATES)}
        known = tx.finder.by_ids(user_id, list(near))
        hits = [
            replace(hit, meaning=near[hit.id])
            for hit in known.values()
            if hit.video_id != video_id or abs(hit.start - passage.start) > READING
        ]
        videos = grouped("", ranked(hits, Mode.SEMANTIC, WHOLE_WORDS), limit, moments)
        texts = tx.finder.reading(user_id, [hit.id for video in videos for hit in video], seconds=READING)
    return passage, tuple(found_of("", video, texts, Mode.SEMANTIC, WHOLE_WORDS) for video in videos)


def _position(said: Sequence[Passage], seconds: float) -> int:
    """Of the last passage that has begun; of the first one in the silence before it."""
    if not said:
        raise NotFound("Nothing is said in this video, or it is not indexed yet.", code="NOTHING_SAID")
    return max((one.position for one in said if one.start <= seconds), default=0)


def _vector(services: Services, user_id: str, said: Sequence[Passage], position: int) -> Vector:
    """As it stands in the index, made anew: stores need not give vectors back."""
    here = said[position].start
    around = [one for one in said if abs(one.start - here) <= 2 * AROUND]
    call = question_call(services, user_id)
    alone = call.until_taken(lambda: services.embedder.embed_documents([one.text for one in around], call=call))
    return list(in_context(around, alone))[around.index(said[position])]
