"""faster-whisper: the contract on our own sample, and real Korean and English speech word for word."""

import json
import multiprocessing
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.tokenizer import _LANGUAGE_CODES
from faster_whisper.utils import _MODELS

from biblio.adapters.speech import weights
from biblio.adapters.speech.whisper import connect
from biblio.adapters.speech.whisper_model import our_errors
from biblio.adapters.speech.whisper_names import LANGUAGES, REPOSITORIES, iso_code, whisper_code
from biblio.dsn import Dsn
from biblio.errors import InvalidInput, Misconfigured, Unavailable
from biblio.ports.speech import SpeechEngine
from tests.adapters.speech.sounds import ffmpeg
from tests.contracts.speech import SpeechContract, Spoken, text


@pytest.fixture(scope="module")
def engine() -> SpeechEngine:
    return connect(Dsn.parse("whisper://base"))


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return english


class TestWhisper(SpeechContract):
    pass


@cache
def bare_model() -> WhisperModel:
    folder = weights.locate("base", None, folder_is_model=True)
    return WhisperModel(str(folder), device="cpu", compute_type="int8")


def bare_text(audio: Path, beam_size: int = 5) -> str:
    pipeline = BatchedInferencePipeline(bare_model())
    given = {"batch_size": 8, "word_timestamps": True, "vad_filter": True}
    segments, _ = pipeline.transcribe(str(audio), beam_size=beam_size, **given)
    return " ".join("".join(segment.text for segment in segments).split())


def our_text(engine: SpeechEngine, audio: Path, model: str | None = None) -> str:
    return " ".join(text(list(engine.transcribe(audio, language=None, model=model))).split())


def test_our_own_sample_is_heard_as_by_the_bare_recogniser(engine: SpeechEngine, english: Spoken) -> None:
    assert our_text(engine, english.audio) == bare_text(english.audio) != ""


def test_fast_decodes_greedily_where_it_has_no_model_of_its_own(engine: SpeechEngine, english: Spoken) -> None:
    assert our_text(engine, english.audio, "fast") == bare_text(english.audio, beam_size=1) != ""


def test_korean_talks_are_heard_as_by_the_bare_recogniser(
    engine: SpeechEngine, test_data: Path, tmp_path: Path
) -> None:
    timeline = test_data / "speech/ko/pansori_tedx/ccrZhrcWPLU/timeline.jsonl"
    rows = [json.loads(line) for line in timeline.read_text().splitlines()]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"file '{test_data / row['file']}'\n" for row in rows if row["end_s"] < 75))
    ffmpeg("-f", "concat", "-safe", "0", "-i", listed, "-ac", "1", "-ar", "16000", tmp_path / "talk.flac")
    assert our_text(engine, tmp_path / "talk.flac") == bare_text(tmp_path / "talk.flac") != ""


@pytest.mark.parametrize(
    "name", ["ko/azure/ko_train_audio1.wav", "en/azure/en_train_audio1.wav", "en/sonnets/p001.mp3"]
)
def test_speech_is_heard_as_by_the_bare_recogniser(
    engine: SpeechEngine, test_data: Path, tmp_path: Path, name: str
) -> None:
    audio = tmp_path / "audio_extracted.mp3"
    ffmpeg("-i", test_data / "speech" / name, "-vn", "-acodec", "libmp3lame", "-q:a", "2", audio)
    assert our_text(engine, audio) == bare_text(audio) != ""


def test_what_is_said_in_a_later_piece_has_its_time(engine: SpeechEngine, english: Spoken) -> None:
    """Times go on over the pieces, and the language once detected holds."""
    pieces = list(engine.transcribe(english.long, language=None, model="fast"))
    words = [word for piece in pieces for word in piece.words]
    first, *later = ([word for word in words if 620 * i <= word.start < 620 * (i + 1)] for i in range(3))
    assert first[-1].end < 11
    for number, again in enumerate(later, 1):
        assert again[0].start == pytest.approx(620 * number + first[0].start, abs=0.5)
        assert "".join(word.text for word in again).split()[:5] == "".join(word.text for word in first).split()[:5]
    assert {piece.language for piece in pieces if piece.words} == {"en"}


def test_both_tables_of_names_are_the_librarys_own() -> None:
    assert set(_LANGUAGE_CODES) == LANGUAGES
    assert _MODELS == REPOSITORIES


def test_language_tags_are_understood() -> None:
    assert [whisper_code(tag) for tag in ("ko", "ko-KR", "ko_KR", " KO ", "zh-Hant-TW", "jv")] == [
        *["ko"] * 4,
        "zh",
        "jw",
    ]
    assert iso_code(whisper_code("jv")) == "jv"


def test_checking_a_request_does_not_load_the_recogniser() -> None:
    program = (
        "import sys; from biblio.adapters.registry import connect; from biblio.dsn import Dsn;"
        "engine = connect('speech', Dsn.parse('whisper://base')); engine.check('ko', 'fast'); engine.model_name(None);"
        "print({'ctranslate2', 'faster_whisper', 'av', 'numpy', 'httpx2'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"


@pytest.mark.parametrize(
    ("address", "fast", "high_quality"),
    [
        ("whisper://base", "base", "base"),
        ("whisper://base?fast=tiny&high_quality=large-v3-turbo", "tiny", "large-v3-turbo"),
        ("whisper://ours?folder=/models&fast=ours-small", "ours-small", "ours"),
    ],
)
def test_fast_and_high_quality_mean_what_the_address_says(address: str, fast: str, high_quality: str) -> None:
    engine = connect(Dsn.parse(address))
    assert engine.model_name("fast") == fast
    assert engine.model_name("high_quality") == high_quality


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("whisper://bose", "Did you mean 'base'"),
        ("whisper://", "knows no model ''"),
        ("whisper://base?fast=tinny", "Did you mean 'tiny'"),
        ("whisper://base?beam=2", "Did you mean 'beam_size'"),
        ("whisper://base?threads=-1", "threads"),
        ("whisper://base?compute_type=int7", "compute_type"),
    ],
)
def test_a_wrong_address_is_refused_at_start(address: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse(address))
    assert said in refused.value.message


def test_an_english_model_refuses_other_languages(engine: SpeechEngine) -> None:
    engine.check("en", "base.en")
    with pytest.raises(InvalidInput) as refused:
        engine.check("ko", "base.en")
    assert refused.value.code == "UNKNOWN_LANGUAGE"


def test_damaged_weights_are_said_so(tmp_path: Path) -> None:
    whole = weights.locate("base", None, folder_is_model=True)
    for file in whole.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:9_000_000])
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse(f"whisper://base?folder={tmp_path}")).ping()
    assert refused.value.code == "MODEL_UNUSABLE"


def test_a_compute_type_this_machine_lacks_is_said_so() -> None:
    with pytest.raises(Misconfigured) as refused:
        connect(Dsn.parse("whisper://base?device=cuda&compute_type=float16")).ping()
    assert refused.value.code == "MODEL_UNUSABLE"


@pytest.mark.parametrize("error", [RuntimeError("CUDA failed with error out of memory"), MemoryError("std::bad_alloc")])
def test_too_little_memory_is_worth_another_try(error: BaseException) -> None:
    with pytest.raises(Unavailable) as refused, our_errors(Misconfigured("The model cannot be loaded")):
        raise error
    assert refused.value.code == "OUT_OF_MEMORY"


def test_a_model_loaded_before_a_fork_is_refused_instead_of_hanging(engine: SpeechEngine) -> None:
    engine.ping()
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    child = context.Process(target=_ping, args=(engine, answers))
    child.start()
    child.join(30)
    assert answers.get() == "MODEL_UNUSABLE"


def _ping(engine: SpeechEngine, answers: "multiprocessing.SimpleQueue[str]") -> None:
    try:
        engine.ping()
        answers.put("")
    except Misconfigured as error:
        answers.put(error.code)
