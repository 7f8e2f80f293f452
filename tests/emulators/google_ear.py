"""How the emulated Google Speech hears: a word for each half second that is not silent, in the language spoken."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np
from google.cloud.speech_v2.types import cloud_speech

from biblio.domain.transcript import Word

STEP = 0.5
"""Seconds a word takes."""
LOUD = 0.001
LONGEST_RESULT = 8
"""Words; then comes the next result, as the real one cuts at pauses."""

VOCABULARY = {
    "ko-KR": "안녕하세요, 오늘은 벡터 검색을 알아봅니다. 질문도 같은 방법으로 벡터가 됩니다.",
    "en-US": "Hello, today we look at vector search. A question becomes a vector too.",
    "es-ES": "Hola, hoy vemos la búsqueda por vectores. Una pregunta también es un vector.",
    "cmn-Hans-CN": "大家 好， 今天 我们 看 向量 搜索。 问题 也 是 向量。",
}
"""What is said in it, again and again."""
OTHERS = "La la la."


Spoken = tuple[str, float, float]
"""A word without blanks; its start and end in seconds."""


@dataclass(frozen=True)
class Sound:
    """`loud` says of each step whether there was anything."""

    seconds: float
    loud: Sequence[bool]


def listen(content: bytes) -> Sound:
    """Raises `av.FFmpegError` for what is no sound."""
    rate, blocks = 16_000, []
    with av.open(BytesIO(content), "r", format="flac") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        for frame in container.decode(audio=0):
            blocks += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    pulses = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    step = round(STEP * rate)
    steps = [pulses[start : start + step] for start in range(0, len(pulses) - step + 1, step)]
    return Sound(len(pulses) / rate, [bool(np.abs(one).max() > LOUD * 32768) for one in steps])


def said(sound: Sound, tag: str) -> list[Spoken]:
    """A word of the language for each step in which there was anything."""
    vocabulary = VOCABULARY.get(tag, OTHERS).split()
    begins = [place * STEP for place, loud in enumerate(sound.loud) if loud]
    return [(vocabulary[place % len(vocabulary)], begin, begin + STEP * 0.8) for place, begin in enumerate(begins)]


def heard(words: Sequence[Word]) -> list[Spoken]:
    """Another ear's words, as Google cuts them: at blanks."""
    found: list[Spoken] = []
    for word in words:
        if found and not word.text[:1].isspace():
            text, start, _ = found.pop()
            found.append((text + word.text, start, word.end))
        else:
            found.append((word.text.strip(), word.start, word.end))
    return found


def results(
    words: list[Spoken], tag: str, *, times: bool, says_language: bool
) -> list[cloud_speech.SpeechRecognitionResult]:
    """In `tag`, which is written small, as the real one does."""
    groups = [words[first : first + LONGEST_RESULT] for first in range(0, len(words), LONGEST_RESULT)]
    code = tag.lower() if says_language else ""
    blank = "" if tag.startswith("cmn") else " "
    return [_result(group, blank, code, times=times) for group in groups]


def _result(words: list[Spoken], blank: str, code: str, *, times: bool) -> cloud_speech.SpeechRecognitionResult:
    infos = [
        {"word": word, "start_offset": _duration(begin), "end_offset": _duration(end)} for word, begin, end in words
    ]
    text = blank.join(word for word, _, _ in words)
    best = {"transcript": text, "confidence": 0.9, "words": infos if times else []}
    end = _duration(words[-1][2] + STEP * 0.2)
    return cloud_speech.SpeechRecognitionResult(alternatives=[best], result_end_offset=end, language_code=code)


def _duration(seconds: float) -> dict[str, int]:
    nanos = round(seconds * 1e9)
    return {"seconds": nanos // 10**9, "nanos": nanos % 10**9}
