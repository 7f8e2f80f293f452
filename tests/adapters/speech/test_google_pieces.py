"""Google Speech in pieces: at once without a bucket, in operations with one; what is left behind; what goes wrong."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import status_pb2

from biblio.adapters.speech.google import connect
from biblio.dsn import Dsn
from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from biblio.ports.call import Unpaced
from tests.adapters.speech.google_talks import ends, loud, run, tones, words
from tests.chaos.fault_proxy import FaultProxy, Link
from tests.emulators import hearing
from tests.emulators.faults import CUT, DROP, Fault
from tests.emulators.gcs import Gcs, running_gcs
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.google_speech_state import STAGING, GoogleSpeech, Wrong

CODE = grpc.StatusCode


@pytest.fixture(scope="module")
def gcs() -> Iterator[Gcs]:
    with running_gcs() as gcs:
        yield gcs


@pytest.fixture
def google(gcs: Gcs) -> Iterator[GoogleSpeech]:
    with google_speech_emulator(gcs) as google:
        yield google
    gcs.buckets.clear()


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little more than what is heard at once."""
    return loud(tmp_path_factory.mktemp("minute") / "speech.flac", 70)


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 100 seconds at most, it has three pieces; the last one may be short."""
    return loud(tmp_path_factory.mktemp("lecture") / "speech.flac", 240)


PIECES = "longest=100&parallel=2"


def test_without_a_bucket_it_hears_in_pieces_of_less_than_a_minute(google: GoogleSpeech, lecture: Path) -> None:
    heard = run(google.unstaged, lecture)
    assert len(ends(heard)) >= 5
    assert set(google.calls.values()) == {1}
    assert (google.calls.total(), google.batches.total()) == (len(ends(heard)), 0)
    assert google.gcs.buckets["staged-speech"].objects == {}
    assert ends(heard)[-1] == 240


def test_with_one_each_long_piece_is_an_operation_and_nothing_stays(google: GoogleSpeech, lecture: Path) -> None:
    heard = run(f"{google.address}&{PIECES}", lecture)
    assert len(ends(heard)) == 3
    assert list(google.paid.values()) == [1, 1, 1]
    assert google.batches.total() >= 2
    assert google.staged == {}
    assert len(words(heard)) > 400


def test_with_one_a_short_sound_is_heard_at_once(google: GoogleSpeech, tmp_path: Path) -> None:
    run(google.address, loud(tmp_path / "short.flac", 20))
    assert (google.calls.total(), google.batches.total()) == (1, 0)


def test_everybody_hears_the_same_words(google: GoogleSpeech, minute: Path) -> None:
    inline = words(run(google.address, minute))
    assert inline == words(run(f"{google.address}&results=bucket", minute))
    assert google.staged == {}


def test_results_in_the_bucket_stay_until_the_words_are_kept(google: GoogleSpeech, minute: Path) -> None:
    engine = connect(Dsn.parse(f"{google.address}&results=bucket"))
    call, kept = Unpaced(), []
    for _ in range(2):  # who died before they were kept finds them again
        heard = engine.transcribe(minute, language="ko", model=None, call=call)
        kept.append(next(one for one in heard if one.ends_piece))
        heard.close()
        assert [name.endswith(".json") for name in google.staged] == [True]
    rest = engine.transcribe(minute, language="ko", model=None, call=call)
    assert [one for one in rest if one.ends_piece] == kept[:1] == kept[1:]
    assert google.staged == {}
    assert google.batches.total() == 1
    engine.close()


def test_no_word_is_lost_or_doubled_between_pieces(gcs: Gcs, tmp_path: Path) -> None:
    audio = tones(tmp_path / "speech.flac", 170)
    with google_speech_emulator(gcs, ear=hearing.tones) as google:
        for address in (google.unstaged, f"{google.address}&{PIECES}"):
            found = words(run(address, audio, language="ko"))
            assert [word.text.strip(" ,") for word in found] == [f"ko{number}" for number in range(170)]
            assert [word.start for word in found] == pytest.approx(range(170), abs=0.1)
    gcs.buckets.clear()


def test_word_times_may_be_missing(google: GoogleSpeech, minute: Path) -> None:
    timed = words(run(google.address, minute))
    spread = words(run(f"{google.address}&word_times=false", minute))
    assert "".join(word.text for word in spread) == "".join(word.text for word in timed)
    assert all(0 <= word.start <= word.end <= 70 for word in spread)


def test_progress_is_the_operations(google: GoogleSpeech, minute: Path) -> None:
    google.operation_seconds = 2.5
    heard = run(google.address, minute)
    on_the_way = [one.until for one in heard if not one.ends_piece]
    assert on_the_way == sorted(on_the_way)
    assert any(0 < until < 70 for until in on_the_way)
    assert google.methods["GetOperation"] < 20, "asked less and less often"


def test_who_is_not_wanted_any_more_stops_asking(google: GoogleSpeech, minute: Path) -> None:
    google.operation_seconds = 3600
    engine = connect(Dsn.parse(google.address))
    heard = engine.transcribe(minute, language="ko", model=None)
    while not google.methods["GetOperation"]:
        next(heard)
    heard.close()
    deadline = time.monotonic() + 30
    while any(thread.name.startswith("speech") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(google.staged) == 1, "the operation goes on"
    engine.close()


class TestWrong:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (CODE.RESOURCE_EXHAUSTED, RateLimited),
            (CODE.UNAVAILABLE, Unavailable),
            (CODE.DEADLINE_EXCEEDED, Unavailable),
            (CODE.INTERNAL, Unavailable),
            (CODE.ABORTED, Unavailable),
            (CODE.UNKNOWN, Unavailable),
            (CODE.CANCELLED, Unavailable),
            (CODE.UNAUTHENTICATED, Misconfigured),
            (CODE.PERMISSION_DENIED, Misconfigured),
            (CODE.NOT_FOUND, Misconfigured),
            (CODE.UNIMPLEMENTED, Misconfigured),
            (CODE.INVALID_ARGUMENT, Rejected),
            (CODE.FAILED_PRECONDITION, Rejected),
            (CODE.OUT_OF_RANGE, Rejected),
        ],
    )
    def test_each_refusal_is_one_of_ours(
        self, google: GoogleSpeech, minute: Path, code: grpc.StatusCode, kind: type[AdapterError]
    ) -> None:
        for method, address in (("Recognize", google.unstaged), ("BatchRecognize", google.address)):
            google.wrongs.append(Wrong(method, code))
            with pytest.raises(kind, match="as ordered") as refused:
                run(address, minute)
            assert type(refused.value) is kind
        assert google.methods["Recognize"] == google.methods["BatchRecognize"] == 1, "nothing is tried twice"

    @pytest.mark.parametrize("seconds", [None, 7.5])
    def test_googles_wait_is_told(self, google: GoogleSpeech, minute: Path, seconds: float | None) -> None:
        google.wrongs.append(Wrong("Recognize", CODE.RESOURCE_EXHAUSTED, retry_after=seconds))
        with pytest.raises(RateLimited) as refused:
            run(google.unstaged, minute)
        assert refused.value.retry_after == seconds

    def test_a_slow_answer_is_waited_for_only_so_long(self, google: GoogleSpeech, minute: Path) -> None:
        google.wrongs.append(Wrong("Recognize", seconds=3))
        with pytest.raises(Unavailable):
            run(f"{google.unstaged}&timeout=0.5", minute)
        assert len(ends(run(google.unstaged, minute))) == 2

    def test_a_dropped_connection_is_unavailable(self, google: GoogleSpeech, minute: Path) -> None:
        google.operation_seconds = 3600
        with FaultProxy(f"http://127.0.0.1:{google.port}") as line:
            engine = connect(
                Dsn.parse(google.address.replace(f":{google.port}", line.url.removeprefix("http://127.0.0.1")))
            )
            heard = engine.transcribe(minute, language="ko", model=None)
            while not google.batches:
                next(heard)
            line.refuse(60)
            line.cut(Link.reset)
            with pytest.raises(Unavailable):
                list(heard)
            engine.close()
        assert google.batches.total() == 1

    def test_an_operation_that_takes_too_long_is_left_for_the_next_attempt(
        self, google: GoogleSpeech, minute: Path
    ) -> None:
        google.operation_seconds, call = 3600, Unpaced()
        with pytest.raises(Unavailable, match="not done"):
            run(f"{google.address}&operation_timeout=0.3", minute, call=call)
        google.operation_seconds = 0
        assert words(run(google.address, minute, call=call))
        assert google.batches.total() == 1

    def test_a_file_that_fails_costs_its_piece_only(self, google: GoogleSpeech, lecture: Path) -> None:
        engine = connect(Dsn.parse(f"{google.address}&longest=100&parallel=1"))
        heard = engine.transcribe(lecture, language="ko", model=None)
        first = next(one for one in heard if one.ends_piece)
        google.file_errors.append(status_pb2.Status(code=3, message="The audio is damaged."))
        with pytest.raises(Rejected, match="damaged"):
            list(heard)
        assert first.words
        assert google.staged == {}, "what failed is removed too"
        engine.close()

    @pytest.mark.parametrize(("code", "kind"), [(8, RateLimited), (14, Unavailable), (7, Misconfigured)])
    def test_a_files_error_is_as_any_other(
        self, google: GoogleSpeech, minute: Path, code: int, kind: type[AdapterError]
    ) -> None:
        google.file_errors.append(status_pb2.Status(code=code, message="no"))
        with pytest.raises(kind):
            run(google.address, minute)
        assert google.staged == {}

    def test_half_an_answer_is_none(self, google: GoogleSpeech, minute: Path) -> None:
        google.halves, call = 1, Unpaced()
        with pytest.raises(Unavailable, match="says nothing"):
            run(google.address, minute, call=call)
        assert words(run(google.address, minute, call=call))
        assert google.staged == {}

    def test_a_result_that_breaks_off_on_its_way_is_asked_for_again(self, google: GoogleSpeech, minute: Path) -> None:
        google.gcs.faults.append(Fault(r"GET /download/.*\.json\?alt", CUT))
        call = Unpaced()
        with pytest.raises(Unavailable):
            run(f"{google.address}&results=bucket", minute, call=call)
        assert words(run(f"{google.address}&results=bucket", minute, call=call))
        assert google.batches.total() == 1

    def test_a_result_that_lies_there_by_half_is_none(self, google: GoogleSpeech, minute: Path) -> None:
        google.gcs.faults.append(Fault(r"GET /download/.*\.json\?alt", DROP))
        call = Unpaced()
        with pytest.raises(Unavailable):
            run(f"{google.address}&results=bucket", minute, call=call)
        name = next(name for name in google.staged if name.endswith(".json"))
        google.gcs.buckets[STAGING].put(name, google.staged[name][:100], "application/json")
        assert words(run(f"{google.address}&results=bucket", minute, call=call))
        assert google.batches.total() == 2
        assert google.staged == {}

    @pytest.mark.parametrize(
        ("status", "kind"), [(429, RateLimited), (503, Unavailable), (0, Unavailable), (403, Misconfigured)]
    )
    def test_a_bucket_that_refuses_is_told(
        self, google: GoogleSpeech, minute: Path, status: int, kind: type[AdapterError]
    ) -> None:
        google.gcs.faults.append(Fault(r"POST /upload/.*", status, headers={"Retry-After": "3"} if status else {}))
        with pytest.raises(kind) as refused:
            run(google.address, minute)
        assert getattr(refused.value, "retry_after", 3) == 3
        assert google.batches.total() == 0

    def test_what_cannot_be_removed_does_not_cost_the_words(self, google: GoogleSpeech, minute: Path) -> None:
        google.gcs.faults.append(Fault(r"DELETE /storage/.*\.flac", 503))
        assert words(run(google.address, minute))
        assert len(google.staged) == 1
