"""The JSON of what people take away."""

from datetime import datetime

from pydantic import BaseModel


class Segment(BaseModel):
    transcript: str
    start_time: float
    end_time: float


class TranscriptResults(BaseModel):
    results: list[Segment]


class SegmentOfWords(Segment):
    """Each word with its start and end, in the text's order; none in what was transcribed before words were kept."""

    words: list[tuple[str, float, float]]


class TranscriptWords(BaseModel):
    language: str | None
    results: list[SegmentOfWords]


class SignedUrl(BaseModel):
    url: str
    expires_at: datetime


class Media(BaseModel):
    video: SignedUrl
    audio: SignedUrl | None
    poster: SignedUrl | None
