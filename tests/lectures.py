"""Lectures that are put into catalog and vector store as the steps embed and index do, without films."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from biblio.domain.flow import Status
from biblio.domain.passages import in_context, passage_id, passages_of
from biblio.domain.transcript import Sentence, Transcript
from biblio.domain.video import Options, Video
from biblio.pipeline.services import Services
from biblio.ports.passages import IndexedPassage
from biblio.ports.vectors import Owner, VectorRecord

PACE = 8.0
"""Seconds from one sentence to the next; each takes one less."""


def add_lecture(services: Services, user: str, title: str, *said: str, language: str = "ko") -> Video:
    now = datetime.now(UTC)
    video_id = str(uuid4())
    key = f"videos/{video_id}/original.mp4"
    video = Video(video_id, user, title, "a.mp4", 1, "video/mp4", key, Status.COMPLETED, Options(), now, now)
    sentences = tuple(Sentence(text, place * PACE, place * PACE + PACE - 1) for place, text in enumerate(said))
    transcript = Transcript(language, len(said) * PACE, sentences, "a person", "none")
    with services.catalog.transaction() as tx:
        tx.videos.add(video)
    index(services, video, transcript)
    return video


def index(services: Services, video: Video, transcript: Transcript) -> None:
    passages = passages_of(transcript.sentences)
    rows = [IndexedPassage(passage_id(video.id, video.generation, one.position), one) for one in passages]
    alone = services.embedder.embed_documents([one.text for one in passages])
    records = [
        VectorRecord(row.id, values, row.passage.start, row.passage.end, row.passage.text)
        for row, values in zip(rows, in_context(passages, alone), strict=True)
    ]
    services.vectors.upsert(Owner(video.user_id, video.id, video.generation), records)
    with services.catalog.transaction() as tx:
        tx.passages.write(video, rows)
        tx.passages.switch(replace(video, meta_info={"passages": len(rows)}), transcript)
