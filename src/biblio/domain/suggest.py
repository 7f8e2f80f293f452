"""Words to suggest while somebody types, in Hangul from its first letter on."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

from biblio.domain.highlights import SAYS_NOTHING
from biblio.domain.words import folded

_WORD = re.compile(r"[가-힣]+|[^\W\d_가-힣]{3,}[^\W_가-힣]*")
_LONE_LETTERS = re.compile(r"[ㄱ-ㅎㅏ-ㅣ]")
MOST_WORDS = 500
"""Of one video, the most frequent ones."""
LONGEST = 40

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWEL_LETTERS, _VOWEL_KEYS = (
    "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ",
    "ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ",
)
_LAST_LETTERS, _LAST_KEYS = (
    "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ",
    "ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ",
)
_VOWELS, _LAST = _VOWEL_KEYS.split(), ["", *_LAST_KEYS.split()]
_TYPED = dict(zip(_VOWEL_LETTERS + _LAST_LETTERS, [*_VOWELS, *_LAST[1:]], strict=True))
"""Keys with which a letter is typed. Source: the two-set keyboard, KS X 5002."""

_PARTICLES = (
    "으로부터 에서부터 이라고 이라는 에서는 에서도 에게서 입니다 라고 라는 에서 에게 에는 에도 으로 까지 부터 "
    "처럼 보다 마다 이나 이며 이고 이란 이다 하고 은 는 이 가 을 를 에 의 와 과 도 로 만 나 들"
)
PARTICLES = tuple(_PARTICLES.split())


def letters_of(text: str) -> str:
    """As it is typed, key by key: '데이' is 'ㄷㅔㅇㅣ'. So the unfinished '데잍' begins like '데이터'."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return "".join(_keys(letter) for letter in plain if not letter.isspace())


def initials_of(text: str) -> str:
    """The first letter of each syllable ('ㄷㅇㅌ'); '' for other scripts."""
    syllables = [letter for letter in folded(text) if "가" <= letter <= "힣"]
    return "".join(INITIALS[(ord(letter) - 0xAC00) // 588] for letter in syllables)


def has_lone_letters(text: str) -> bool:
    """Whether it is still being typed."""
    return _LONE_LETTERS.search(unicodedata.normalize("NFC", text)) is not None


def vocabulary(texts: Iterable[str]) -> list[tuple[str, int]]:
    """The words of a video and how often each is said, without particles where the text shows which these are."""
    said = Counter(word for text in texts for word in _WORD.findall(folded(text)) if _tells(word))
    forms: dict[str, set[str]] = defaultdict(set)
    for word in said:
        for stem in _stems(word):
            forms[stem].add(word)
    counted: Counter[str] = Counter()
    for word, count in said.items():
        # '고양이' is no '고양' with a particle where '고양이가' is said too: the stem with more forms is the word.
        best = max(_stems(word), key=lambda stem: (len(forms[stem]), len(stem)))
        counted[best] += count
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:MOST_WORDS]


def _stems(word: str) -> list[str]:
    endings = [one for one in PARTICLES if word.endswith(one) and len(word) - len(one) >= 2]
    return [word, *(word.removesuffix(one) for one in endings)]


def _tells(word: str) -> bool:
    return 2 <= len(word) <= LONGEST and word not in SAYS_NOTHING


def _keys(letter: str) -> str:
    if not "가" <= letter <= "힣":
        return _TYPED.get(letter, letter)
    place = ord(letter) - 0xAC00
    return INITIALS[place // 588] + _VOWELS[place % 588 // 28] + _LAST[place % 28]
