"""Several engines as one: who is asked, who takes over, and what is told when nobody can."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biblio.adapters.registry import connect
from biblio.adapters.speech.routed_call import OwnCall
from biblio.domain.hearing import HeardBy
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn
from biblio.errors import BiblioError, LeaseLost, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.call import CallContext, Unpaced
from biblio.ports.speech import Heard, SpeechEngine
from tests.adapters.speech.routes import ANY, begun, by_hand, ended, routed, scripted, words
from tests.contracts.call import CallContract
from tests.contracts.speech import SpeechContract, Spoken, text


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return replace(english, language="ko", other_language="en")


class TestRoute(SpeechContract):
    """Of one that dies in every sound, one whose rules never hold, and one that takes over."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> SpeechEngine:
        return routed("scripted://?fails_at=15", "scripted://short?fails_at=0#max_minutes=0.01", "scripted://b")


class TestHandOver:
    @pytest.mark.parametrize("why", ["unavailable", "rate_limited", "misconfigured"])
    def test_who_takes_over_goes_on_behind_the_last_finished_piece(
        self, tmp_path: Path, spoken: Spoken, why: str
    ) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        engine = routed(
            f"scripted://first?longest=5&log={first}&fails_at=15&fails_as={why}",
            f"scripted://second?longest=5&log={second}",
        )
        pieces = ended(engine.transcribe(spoken.audio, language=None, model=None))
        alone = list(connect("speech", Dsn.parse("scripted://?longest=5")).transcribe(spoken.audio, **ANY))
        assert words(pieces) == words(alone)
        assert [piece.until for piece in pieces] == [one.until for one in alone if one.ends_piece]
        mine = [piece.until for piece in pieces if piece.by == HeardBy("scripted (first)", "script")]
        theirs = [piece.until for piece in pieces if piece.by == HeardBy("scripted (second)", "script")]
        assert 3 <= len(mine) < len(pieces)
        assert mine + theirs == [piece.until for piece in pieces]
        assert begun(first) == [0.0, *mine]
        assert begun(second) == [*mine[-1:], *theirs[:-1]]

    def test_words_of_a_piece_that_was_not_finished_are_not_doubled(self, spoken: Spoken) -> None:
        heard = list(routed("scripted://?fails_at=15", "scripted://").transcribe(spoken.audio, **ANY))
        alone = list(connect("speech", Dsn.parse("scripted://")).transcribe(spoken.audio, **ANY))
        assert text(heard) == text(alone)
        assert any(not one.ends_piece and one.by == HeardBy("scripted (1)", "script") for one in heard), "it had begun"

    def test_pieces_of_another_length_lose_nothing_either(self, spoken: Spoken) -> None:
        engine = routed("scripted://a?fails_at=15&longest=13", "scripted://b?longest=4")
        alone = list(connect("speech", Dsn.parse("scripted://")).transcribe(spoken.audio, **ANY))
        pieces = ended(engine.transcribe(spoken.audio, **ANY))
        assert len({piece.by for piece in pieces}) == 2
        assert text(pieces) == text(alone)

    def test_the_language_that_was_heard_goes_along(self, tmp_path: Path, spoken: Spoken) -> None:
        """The second would take it for Korean if it were not told."""
        script = tmp_path / "script.json"
        script.write_text(json.dumps({"language": "en", "sentences": [[0, 1, "one"], [12, 13, "two"]]}))
        engine = routed(f"scripted://a?path={script}&longest=10&fails_at=11", "scripted://b?longest=10")
        pieces = ended(engine.transcribe(spoken.audio, **ANY))
        assert {piece.language for piece in pieces} == {"en"}
        assert {piece.by.engine for piece in pieces if piece.by} == {"scripted (a)", "scripted (b)"}
        only_english = "scripted://a#language=en"
        engine = routed(f"scripted://b?path={script}&longest=10&fails_at=11", "scripted://c?fails_at=0", only_english)
        pieces = ended(engine.transcribe(spoken.audio, **ANY))
        assert pieces[-1].by == HeardBy("scripted (a)", "script"), "its rule holds from now on"

    def test_the_next_sound_is_for_the_first_again(self, tmp_path: Path, spoken: Spoken) -> None:
        log = tmp_path / "log"
        engine = routed(f"scripted://a?fails_at=15&longest=5&log={log}", "scripted://b?longest=5")
        for _ in range(2):
            ended(engine.transcribe(spoken.audio, **ANY))
        assert begun(log).count(0.0) == 2

    def test_a_sound_that_was_refused_is_not_sent_round(self, tmp_path: Path, spoken: Spoken) -> None:
        log = tmp_path / "log"
        engine = routed("scripted://a?fails_at=15&fails_as=rejected", f"scripted://b?log={log}")
        with pytest.raises(Rejected):
            list(engine.transcribe(spoken.audio, **ANY))
        assert not log.exists()

    def test_where_nobody_is_left_each_says_why(self, spoken: Spoken) -> None:
        engine = routed("scripted://a?fails_at=15", "scripted://b?fails_at=20&fails_as=misconfigured")
        with pytest.raises(Unavailable) as failed:
            list(engine.transcribe(spoken.audio, **ANY))
        assert failed.value.code == "ENGINE_UNAVAILABLE"
        assert "scripted (a): " in failed.value.message
        assert "scripted (b): " in failed.value.message

    @pytest.mark.parametrize(
        ("errors", "kind", "wait"),
        [
            ([Unavailable("1")], Unavailable, None),
            ([RateLimited("1", retry_after=500)], RateLimited, 500),
            ([Misconfigured("1"), Misconfigured("2")], Misconfigured, None),
            ([Misconfigured("1"), Unavailable("2")], Unavailable, None),
            ([RateLimited("1", retry_after=500), RateLimited("2", retry_after=400)], RateLimited, 400),
            ([RateLimited("1", retry_after=500), RateLimited("2")], RateLimited, 500),
            ([RateLimited("1"), Misconfigured("2")], RateLimited, None),
            ([RateLimited("1", retry_after=500), Unavailable("2")], RateLimited, 60),
            ([Unavailable("1"), RateLimited("2", retry_after=5)], RateLimited, 5),
        ],
    )
    def test_a_wait_for_quota_goes_before_a_try_and_a_try_before_the_end(
        self, spoken: Spoken, errors: list[BiblioError], kind: type[BiblioError], wait: float | None
    ) -> None:
        with pytest.raises(BiblioError) as failed:
            list(by_hand(*(broken(error) for error in errors)).transcribe(spoken.audio, **ANY))
        assert type(failed.value) is kind
        assert getattr(failed.value, "retry_after", None) == wait


class TestOwnCall(CallContract):
    @pytest.fixture
    def call(self) -> CallContext:
        return OwnCall(Unpaced(), "google")


class TestCalls:
    def test_what_the_caller_raises_is_no_fault_of_the_engine(self, spoken: Spoken) -> None:
        for error in (Unavailable("The worker is being stopped."), LeaseLost("Gone."), Misconfigured("No limiter.")):
            with pytest.raises(BiblioError) as raised:
                list(by_hand(paid(), scripted()).transcribe(spoken.audio, **ANY, call=Raising(error)))
            assert raised.value is error

    def test_what_the_engine_raises_in_its_turn_is_its_own(self, spoken: Spoken) -> None:
        heard = ended(by_hand(paid(fails=True), scripted()).transcribe(spoken.audio, **ANY, call=Unpaced()))
        assert {one.by.engine for one in heard if one.by} == {"scripted (2)"}

    def test_a_turn_that_is_far_off_is_not_waited_for(self, spoken: Spoken) -> None:
        call = Raising(RateLimited("Used up.", retry_after=100))
        heard = ended(by_hand(paid(), scripted()).transcribe(spoken.audio, **ANY, call=call))
        assert {one.by.engine for one in heard if one.by} == {"scripted (2)"}

    def test_what_engines_note_is_their_own(self, spoken: Spoken) -> None:
        call = Unpaced()
        list(by_hand(paid(fails=True), paid()).transcribe(spoken.audio, **ANY, call=call))
        assert call.recall("scripted (1): operation") == call.recall("scripted (2): operation") == "begun"
        assert call.recall("operation") is None


class TestUpkeep:
    def test_one_that_answers_is_enough(self) -> None:
        engine = by_hand(broken(Misconfigured("The key is revoked.")), scripted())
        engine.ping()

    def test_where_none_answers_the_first_is_told_of(self) -> None:
        with pytest.raises(Misconfigured, match="revoked"):
            by_hand(broken(Misconfigured("The key is revoked.")), broken(Unavailable("Away."))).ping()

    def test_who_is_down_may_be_prepared_later_but_what_is_wrong_is_told(self) -> None:
        by_hand(broken(Unavailable("Away.")), scripted()).prepare()
        with pytest.raises(Misconfigured):
            by_hand(broken(Misconfigured("There are no weights.")), scripted()).prepare()
        with pytest.raises(Unavailable):
            by_hand(broken(Unavailable("Away."))).prepare()


class Acting:
    """The scripted engine, that does something of its own before it hears, is prepared or pinged."""

    def __init__(self, act: Callable[[CallContext | None], None]) -> None:
        self._engine, self._act = scripted(), act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def transcribe(self, audio: Path, *, call: CallContext | None = None, **asked: Any) -> Generator[Heard, None, None]:
        self._act(call)
        yield from self._engine.transcribe(audio, **asked)

    def prepare(self) -> None:
        self._act(None)

    def ping(self) -> None:
        self._act(None)


def broken(error: BiblioError) -> Any:
    def act(_: CallContext | None) -> None:
        raise error

    return Acting(act)


def paid(*, fails: bool = False) -> Any:
    def act(call: CallContext | None) -> None:
        assert call is not None
        assert call.recall("operation") is None
        with call.admit(RateLimit("speech:paid", calls=1), 30.0):
            call.note("operation", "begun")
            if fails:
                raise Unavailable("It is down.")

    return Acting(act)


class Raising(Unpaced):
    """A caller that refuses each turn."""

    def __init__(self, error: BiblioError) -> None:
        super().__init__()
        self._error = error

    @contextmanager
    def admit(self, limit: RateLimit, units: float) -> Iterator[None]:
        raise self._error
        yield  # a generator
