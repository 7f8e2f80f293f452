"""What a person types, taken apart: words, "exact phrases", -words that must not be there."""

import re
from dataclasses import dataclass

from biblio.domain.words import SYLLABLES, asked_terms, folded, is_syllabic
from biblio.errors import InvalidInput

LONGEST = 1_000
"""Characters."""

_PART = re.compile(r"(?P<minus>(?<!\S)[-−])?(?:[\"“”](?P<phrase>[^\"“”]*)[\"“”]|(?P<word>[^\s\"“”]+))")


@dataclass(frozen=True)
class Question:
    """`text` is what is asked for, without what is excluded; `phrases` must be said to the letter, `excluded` not."""

    text: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        return asked_terms(self.text)

    @property
    def is_exact(self) -> bool:
        return bool(self.phrases or self.excluded)

    def is_said_in(self, text: str) -> bool:
        """Whether all phrases stand in a text. Blanks, punctuation and capitals do not matter."""
        if not self.phrases:
            return True
        said = closed(text)
        return all(closed(one) in said for one in self.phrases)

    def excludes(self, text: str) -> bool:
        return bool(self.excluded) and any(_says(text, one) for one in self.excluded)


def read_question(typed: str) -> Question:
    """Any text is a question. Raises `InvalidInput` for an empty, an endless, or a merely excluding one."""
    asked = typed.replace("\x00", " ").strip()
    if not asked:
        raise InvalidInput("The question is empty.", code="EMPTY_QUESTION")
    if len(asked) > LONGEST:
        raise InvalidInput(f"A question has at most {LONGEST} characters.", code="QUESTION_TOO_LONG")
    kept, phrases, excluded = [], [], []
    for part in _PART.finditer(asked):
        said = part["phrase"] if part["phrase"] is not None else part["word"]
        if part["minus"] and closed(said):
            excluded.append(said)
            continue
        kept.append(said)
        if part["phrase"] is not None and closed(said):
            phrases.append(said)
    text = " ".join(" ".join(kept).split()) or ("" if excluded else asked)  # of quotes alone
    if not text:
        raise InvalidInput("The question only says what it does not want.", code="EMPTY_QUESTION")
    return Question(text, tuple(phrases), tuple(excluded))


def closed(text: str) -> str:
    """Letters and digits alone, so that neither blanks nor punctuation matter."""
    return "".join(filter(str.isalnum, folded(text)))


def _says(text: str, one: str) -> bool:
    """As a whole word in scripts with blanks between words; anywhere in the others, as particles may follow."""
    wanted = folded(one).strip()
    if any(map(is_syllabic, wanted)):
        return closed(one) in closed(text)
    letter = rf"[^\W_{SYLLABLES}]"
    words = r"[\W_]+".join(map(re.escape, wanted.split()))
    return re.search(rf"(?<!{letter}){words}(?!{letter})", folded(text)) is not None
