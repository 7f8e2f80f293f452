"""A transcript as people download it: SubRip, WebVTT, plain text."""

from collections.abc import Sequence

from biblio.domain.transcript import Sentence


def srt(sentences: Sequence[Sentence]) -> str:
    blocks = [
        f"{number}\n{_clock(sentence.start, ',')} --> {_clock(sentence.end, ',')}\n{sentence.text}\n"
        for number, sentence in enumerate(sentences, 1)
    ]
    return "\n".join(blocks)


def vtt(sentences: Sequence[Sentence]) -> str:
    """What is said stays words: WebVTT reads `<`, `&` and `-->` as markup."""
    blocks = [
        f"{_clock(sentence.start, '.')} --> {_clock(sentence.end, '.')}\n{_escaped(sentence.text)}\n"
        for sentence in sentences
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def txt(sentences: Sequence[Sentence]) -> str:
    return "".join(f"{sentence.text}\n" for sentence in sentences)


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{rest:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
