"""What Whisper can be asked for. Copied from faster-whisper 1.2.1 so that a request is checked without loading it.

`tests/adapters/speech/test_whisper.py` compares both tables with the library's own.
"""

REPOSITORIES = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large": "Systran/faster-whisper-large-v3",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}

_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id "
    "is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si "
    "sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
)
LANGUAGES = frozenset(_CODES.split())

# Whisper learnt Javanese under a code that is not in ISO 639-1.
_JAVANESE = {"jv": "jw"}


def whisper_code(language: str) -> str:
    """Whisper's code for a language tag: 'ko-KR', 'ko_KR' and 'KO' are 'ko'. What it does not know stays."""
    code = language.strip().lower().replace("_", "-").partition("-")[0]
    return _JAVANESE.get(code, code)


def iso_code(language: str) -> str:
    """ISO 639-1 (or 639-3 where that has none) for one of Whisper's codes."""
    return "jv" if language == "jw" else language


def is_english_only(model: str) -> bool:
    return model.endswith(".en")
