"""Names of objects in storage. Only ids and fixed words go into a key, never a name that a person typed."""


def video_prefix(video_id: str) -> str:
    return f"videos/{video_id}/"


def original(video_id: str, extension: str) -> str:
    return f"{video_prefix(video_id)}original.{extension}"


def audio(video_id: str) -> str:
    """The sound for people and for speech services: the specification's MP3."""
    return f"{video_prefix(video_id)}audio_extracted.mp3"


def speech_audio(video_id: str) -> str:
    """The sound for speech engines that run here: 16 kHz mono without loss, so that recognition loses nothing."""
    return f"{video_prefix(video_id)}speech.flac"


def artefact(video_id: str, generation: int, attempt: int, name: str) -> str:
    """What a step leaves for the next. The attempt is in it, so a worker that lost its lease overwrites nothing."""
    return f"{video_prefix(video_id)}generations/{generation}/{attempt}/{name}"
