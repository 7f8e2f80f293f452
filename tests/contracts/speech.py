"""What every speech engine promises (ports/speech.py). An adapter's test file says only how to build it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from biblio.errors import InvalidInput, Rejected
from biblio.ports.speech import Heard, SpeechEngine

NOWHERE = Path("/nowhere/at/all.flac")


@dataclass(frozen=True)
class Spoken:
    """A sound of `duration` seconds in which `language` is spoken, one of three silent seconds, and a long one: of half
    an hour, in which `language` is spoken now and then."""

    audio: Path
    duration: float
    language: str
    other_language: str
    silence: Path
    long: Path


def text(pieces: Sequence[Heard]) -> str:
    return "".join(word.text for piece in pieces for word in piece.words)


def told(pieces: Sequence[Heard]) -> list[Heard]:
    """Without the signs of life of a service that is waited for, which come as time passes."""
    return [piece for piece in pieces if piece.words or piece.ends_piece]


class SpeechContract:
    """Needs the fixtures `engine` and `spoken`, both of class scope or wider."""

    @pytest.fixture(scope="class")
    @classmethod
    def heard(cls, engine: SpeechEngine, spoken: Spoken) -> list[Heard]:
        return list(engine.transcribe(spoken.audio, language=None, model=None))

    def test_words_come_in_the_order_of_their_times_and_inside_the_sound(
        self, heard: list[Heard], spoken: Spoken
    ) -> None:
        words = [word for piece in heard for word in piece.words]
        assert len(words) > 10
        assert [word.start for word in words] == sorted(word.start for word in words)
        assert all(0 <= word.start <= word.end <= spoken.duration + 0.01 for word in words)
        assert all(word.text.strip() for word in words)

    def test_silence_gives_no_words(self, engine: SpeechEngine, spoken: Spoken) -> None:
        pieces = list(engine.transcribe(spoken.silence, language=None, model=None))
        assert text(pieces) == ""
        assert {piece.language for piece in pieces} == {""}

    def test_the_language_is_detected_when_not_given(self, heard: list[Heard], spoken: Spoken) -> None:
        assert {piece.language for piece in heard if piece.words} == {spoken.language}
        assert heard[-1].language == spoken.language

    def test_the_language_is_obeyed_when_given(self, engine: SpeechEngine, spoken: Spoken, heard: list[Heard]) -> None:
        pieces = list(engine.transcribe(spoken.audio, language=spoken.other_language, model=None))
        assert {piece.language for piece in pieces if piece.words} == {spoken.other_language}
        assert text(pieces) != text(heard)

    def test_a_language_may_carry_its_country(self, engine: SpeechEngine, spoken: Spoken) -> None:
        engine.check(f"{spoken.language}-XX", None)

    @pytest.mark.parametrize("language", ["xx", "klingon", "", "../ko"])
    def test_an_unknown_language_is_invalid_input_before_any_work(self, engine: SpeechEngine, language: str) -> None:
        with pytest.raises(InvalidInput) as checked:
            engine.check(language, None)
        with pytest.raises(InvalidInput) as asked:
            engine.transcribe(NOWHERE, language=language, model=None)
        assert checked.value.code == asked.value.code == "UNKNOWN_LANGUAGE"

    @pytest.mark.parametrize("model", ["gigantic", "", "../base", "FAST"])
    def test_an_unknown_model_is_invalid_input_before_any_work(self, engine: SpeechEngine, model: str) -> None:
        with pytest.raises(InvalidInput) as checked:
            engine.check(None, model)
        with pytest.raises(InvalidInput) as named:
            engine.model_name(model)
        with pytest.raises(InvalidInput) as asked:
            engine.transcribe(NOWHERE, language=None, model=model)
        assert checked.value.code == named.value.code == asked.value.code == "UNKNOWN_MODEL"

    @pytest.mark.parametrize("model", [None, "fast", "high_quality"])
    def test_fast_high_quality_and_none_are_models_with_names(self, engine: SpeechEngine, model: str | None) -> None:
        engine.check(None, model)
        assert engine.model_name(engine.model_name(model)) == engine.model_name(model)

    def test_the_same_sound_heard_twice_gives_the_same_words(
        self, engine: SpeechEngine, spoken: Spoken, heard: list[Heard]
    ) -> None:
        assert told(list(engine.transcribe(spoken.audio, language=None, model=None))) == told(heard)

    def test_what_is_heard_comes_in_order_and_the_last_of_it_ends_with_the_sound(
        self, heard: list[Heard], spoken: Spoken
    ) -> None:
        assert [piece.until for piece in heard] == sorted(piece.until for piece in heard)
        assert heard[-1].until == pytest.approx(spoken.duration, abs=0.01)
        assert heard[-1].ends_piece

    @pytest.fixture(scope="class")
    @classmethod
    def long(cls, engine: SpeechEngine, spoken: Spoken) -> list[Heard]:
        return list(engine.transcribe(spoken.long, language=None, model=None))

    def test_a_piece_is_at_most_ten_minutes_long(self, long: list[Heard]) -> None:
        ends = [heard.until for heard in long if heard.ends_piece]
        assert len(ends) >= 4
        assert all(0 < end - start <= 600 for start, end in pairwise([0.0, *ends]))

    def test_going_on_after_a_piece_gives_what_one_run_gives_after_it(
        self, engine: SpeechEngine, spoken: Spoken, long: list[Heard]
    ) -> None:
        for place, heard in enumerate(long, 1):
            if heard.ends_piece:
                rest = list(engine.transcribe(spoken.long, language=spoken.language, model=None, since=heard.until))
                assert [(then.words, then.until, then.ends_piece) for then in told(rest)] == [
                    (then.words, then.until, then.ends_piece) for then in told(long[place:])
                ]

    def test_closing_the_generator_stops_the_work(self, engine: SpeechEngine, spoken: Spoken) -> None:
        pieces = engine.transcribe(spoken.audio, language=spoken.language, model="fast")
        next(pieces)
        pieces.close()
        assert list(pieces) == []

    @pytest.mark.parametrize("content", [b"#EXTM3U\n/etc/hostname\n", b"fLaC" + bytes(5000), b"\xff\xfb", b""])
    def test_what_is_no_sound_is_rejected(self, engine: SpeechEngine, tmp_path: Path, content: bytes) -> None:
        audio = tmp_path / "audio.flac"
        audio.write_bytes(content)
        with pytest.raises(Rejected) as refused:
            list(engine.transcribe(audio, language=None, model=None))
        assert refused.value.code == "UNREADABLE_MEDIA"

    def test_preparing_and_asking_may_be_repeated(self, engine: SpeechEngine) -> None:
        for _ in range(2):
            engine.prepare()
            engine.ping()
