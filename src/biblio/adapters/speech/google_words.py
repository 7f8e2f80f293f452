"""What Google Speech says it heard, as words with times and the blanks between them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from biblio.adapters.speech.google_languages import TAGS, UNSPACED, iso
from biblio.adapters.speech.pieces import Recognised
from biblio.adapters.speech.words import USUAL_PACE, spread, whole
from biblio.domain.transcript import Word


def recognised(results: Sequence[Any], asked: Sequence[str], seconds: float) -> Recognised:
    """For `SpeechRecognitionResult`s of a piece of so many `seconds`, of which the tags `asked` were asked for.

    The language is what most of the text is in. Where Google does not say it, it is what was asked for if that was one;
    else it stays unknown, and is not guessed. So does one that Google finds and cannot be asked for.
    """
    only = iso(asked[0]) if len(asked) == 1 and asked[0] != "auto" else ""
    words, weights, begin = list[Word](), Counter[str](), 0.0
    for result in results:
        best = result.alternatives[0] if result.alternatives else None
        if best is None or not best.transcript.strip():
            continue
        language = iso(result.language_code) or only
        text = _with_blank(best.transcript, language)
        said = _timed(text, best.words, begin, result.result_end_offset.total_seconds() or seconds)
        begin = max(begin, said[-1].end)
        words += said
        weights[language] += len(text)
    found = next((name for name, _ in weights.most_common() if name), "")
    language = only or (found if found in TAGS else "")
    return Recognised(tuple(words), language if words else "")


def _with_blank(transcript: str, language: str) -> str:
    text = transcript.strip()
    return text if language in UNSPACED else f" {text}"


def _timed(text: str, infos: Sequence[Any], begin: float, latest: float) -> list[Word]:
    """The text counts: words that Google lost on the way to their times are spread behind those it did not."""
    timed = _aligned(text, infos)
    if timed and timed[-1].end > 0:
        return whole(timed, text, begin, max(latest, timed[-1].end))
    return spread(text, max(begin, latest - USUAL_PACE * len(text)), max(begin, latest))


def _aligned(text: str, infos: Sequence[Any]) -> list[Word]:
    """Google's words have no blanks: each gets those before it in the text, up to the first that is not there."""
    found, said = list[Word](), 0
    for info in infos:
        plain = info.word.strip()
        blank = len(text[said:]) - len(text[said:].lstrip())
        end = said + blank + len(plain)
        if not plain or text[said + blank : end] != plain:
            break
        times = info.start_offset.total_seconds(), info.end_offset.total_seconds()
        found.append(Word(text[said:end], *times))
        said = end
    return found
