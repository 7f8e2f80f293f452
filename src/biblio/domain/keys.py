"""Names of objects in storage. Only ids and fixed words go into a key, never a name that a person typed."""

import re

_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_ORIGINAL = re.compile(rf"videos/{_ID}/original\.[a-z0-9]+")
_FOLDER = re.compile(rf"videos/{_ID}/")


def video_prefix(video_id: str) -> str:
    return f"videos/{video_id}/"


def original(video_id: str, extension: str) -> str:
    return f"{video_prefix(video_id)}original.{extension}"


def video_id_of(key: str) -> str | None:
    """The video whose original lies at `key`; None for any other object."""
    match = _ORIGINAL.fullmatch(key)
    return match[1] if match else None


def owner_of(key: str) -> str | None:
    """The video in whose folder `key` lies; None for any other place."""
    match = _FOLDER.match(key)
    return match[1] if match else None


def audio(video_id: str) -> str:
    """The sound for people and for speech services: the specification's MP3."""
    return f"{video_prefix(video_id)}audio_extracted.mp3"


def speech_audio(video_id: str) -> str:
    """The sound for speech engines that run here: 16 kHz mono without loss, so that recognition loses nothing."""
    return f"{video_prefix(video_id)}speech.flac"


def poster(video_id: str) -> str:
    """A picture of the video, for people: JPEG."""
    return f"{video_prefix(video_id)}poster.jpg"


def artefact(video_id: str, generation: int, attempt: int, name: str) -> str:
    """What a step leaves for the next. The attempt is in it, so a worker that lost its lease overwrites nothing."""
    return f"{video_prefix(video_id)}generations/{generation}/{attempt}/{name}"


def artefacts_of(video_id: str, generation: int, attempt: int) -> str:
    """Below it lies whatever one attempt left."""
    return artefact(video_id, generation, attempt, "")


def artefacts(video_id: str) -> str:
    """Below it lies whatever steps left for each other."""
    return f"{video_prefix(video_id)}generations/"


def generation_of(key: str) -> int | None:
    """The generation whose artefact lies at `key`; None for what is none of ours."""
    number = key.partition("/generations/")[2].partition("/")[0]
    return int(number) if number.isascii() and number.isdigit() else None
