"""Which engine of a route is asked, and by which name it is known."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from biblio.domain.hearing import HeardBy
from biblio.errors import InvalidInput, Misconfigured
from tests.adapters.speech.routes import ANY, ended, routed
from tests.contracts.speech import NOWHERE, Spoken


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return replace(english, language="ko", other_language="en")


RULED = ("scripted://ko#language=ko,none", "scripted://short#max_minutes=1", "scripted://best#model=high_quality")


class TestRules:
    @pytest.mark.parametrize(
        ("addresses", "language", "model", "heard_by"),
        [
            (RULED, "ko", None, "ko"),
            (RULED, "KO-kr", "fast", "ko"),
            (RULED, None, None, "ko"),
            (RULED, "en", None, "short"),
            (RULED[::-1], "en", "high_quality", "best"),
            (RULED[::-1], "en", "script", "best"),
            (RULED[::-1], "en", "fast", "short"),
            (("scripted://a#language=ko", "scripted://b"), None, None, "b"),
            (("scripted://a#model=fast,none", "scripted://b"), "en", None, "a"),
            (("scripted://a#model=fast,none&language=en", "scripted://b"), "ko", None, "b"),
            (("scripted://a#language=ko-KR", "scripted://b"), "ko", None, "b"),
            (("scripted://a#language=ko-KR", "scripted://b"), "ko-kr", None, "a"),
            (("scripted://a#max_minutes=0.4", "scripted://b"), "ko", None, "b"),
            (("scripted://a#max_minutes=0.51", "scripted://b"), "ko", None, "a"),
        ],
    )
    def test_the_first_whose_rules_hold_is_asked(
        self, spoken: Spoken, addresses: Sequence[str], language: str | None, model: str | None, heard_by: str
    ) -> None:
        engine = routed(*addresses)
        engine.check(language, model)
        pieces = ended(engine.transcribe(spoken.audio, language=language, model=model))
        assert [piece.by for piece in pieces] == [HeardBy(f"scripted ({heard_by})", "script")]

    def test_one_engine_may_have_rules_too(self, spoken: Spoken) -> None:
        engine = routed("scripted://#language=en")
        assert engine.name == "scripted"
        for language in ("ko", None):
            with pytest.raises(InvalidInput, match="It is asked for the language en only") as refused:
                engine.check(language, None)
            assert refused.value.code == "UNKNOWN_LANGUAGE"
        assert ended(engine.transcribe(spoken.audio, language="en", model=None))

    def test_what_nobody_takes_is_refused_with_all_their_reasons(self) -> None:
        engine = routed("scripted://a#language=en", "scripted://b#model=fast&language=ko")
        for language, model, code in ((None, "fast", "UNKNOWN_LANGUAGE"), ("ko", "high_quality", "UNKNOWN_LANGUAGE")):
            with pytest.raises(InvalidInput) as checked:
                engine.check(language, model)
            with pytest.raises(InvalidInput) as asked:
                engine.transcribe(NOWHERE, language=language, model=model)
            assert checked.value.code == asked.value.code == code
            assert "scripted (a): " in checked.value.message
            assert "scripted (b): " in checked.value.message

    def test_a_sound_that_is_too_long_for_all_is_refused_once_its_length_is_known(self, spoken: Spoken) -> None:
        engine = routed("scripted://a#max_minutes=10", "scripted://b#max_minutes=20")
        engine.check(None, None)
        with pytest.raises(InvalidInput, match="20 minutes at most") as refused:
            list(engine.transcribe(spoken.long, **ANY))
        assert refused.value.code == "TOO_LONG"

    def test_going_on_is_not_refused_for_a_language_that_was_only_heard(self, spoken: Spoken) -> None:
        engine = routed("scripted://a?longest=10#language=none")
        ends = [piece.until for piece in ended(engine.transcribe(spoken.audio, **ANY))]
        rest = ended(engine.transcribe(spoken.audio, language="ko", model=None, since=ends[0]))
        assert [piece.until for piece in rest] == ends[1:]
        with pytest.raises(InvalidInput):
            engine.transcribe(spoken.audio, language="ko", model=None)

    def test_an_own_name_of_the_model_that_a_rule_means_is_meant_too(self) -> None:
        engine = routed("whisper://base?high_quality=small#model=high_quality", "whisper://base#model=none,fast")
        assert [engine.model_name(one) for one in ("high_quality", "small", None, "base")] == ["small"] * 2 + [
            "base"
        ] * 2
        with pytest.raises(InvalidInput):
            engine.model_name("tiny")

    @pytest.mark.parametrize(
        ("rules", "said"),
        [
            (
                "langauge=ko",
                "no rule of that name. Did you mean 'language'? Known rules: language, max_minutes, model.",
            ),
            ("max_minutes=0", "Rule 'max_minutes' of the scripted:// address"),
            ("max_minutes=long", "Rule 'max_minutes' of the scripted:// address"),
            ("language=klingon", "A rule of scripted: The script is not in the language 'klingon'."),
            ("language=", "A rule of scripted: "),
            ("model=hiqh_quality", "A rule of scripted: There is no speech model 'hiqh_quality'."),
        ],
    )
    def test_a_rule_that_would_never_hold_is_told_at_start(self, rules: str, said: str) -> None:
        with pytest.raises(Misconfigured) as refused:
            routed("scripted://", f"scripted://b#{rules}")
        assert said in str(refused.value)


class TestNames:
    @pytest.mark.parametrize(
        ("addresses", "names"),
        [
            (("scripted://", "whisper://base"), ["scripted", "faster-whisper"]),
            (
                ("whisper://tiny", "scripted://", "whisper://base"),
                ["faster-whisper (tiny)", "scripted", "faster-whisper (base)"],
            ),
            (("scripted://", "scripted://"), ["scripted (1)", "scripted (2)"]),
            (("scripted://a", "scripted://a", "scripted://b"), ["scripted (1)", "scripted (2)", "scripted (b)"]),
        ],
    )
    def test_engines_of_one_name_are_told_apart(self, addresses: Sequence[str], names: list[str]) -> None:
        assert list(routed(*addresses).engines) == names
