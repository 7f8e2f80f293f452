"""An operation of Google's is paid for once, whoever dies meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import status_pb2

from biblio.adapters.speech.google_staging import FOLDER_NOTE
from biblio.errors import RateLimited, Rejected, Unavailable
from biblio.ports.call import Unpaced
from tests.adapters.speech.google_talks import Dying, loud, run, words
from tests.emulators.gcs import Gcs, running_gcs
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.google_speech_state import GoogleSpeech, Wrong

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
    return loud(tmp_path_factory.mktemp("minute") / "speech.flac", 70)


def broken_off(google: GoogleSpeech, minute: Path, call: Unpaced) -> None:
    """An attempt that ends while its operation runs."""
    google.wrongs.append(Wrong("GetOperation", CODE.UNAVAILABLE))
    with pytest.raises(Unavailable):
        run(google.address, minute, language="ko", call=call)
    assert len(google.staged) == 1


def test_it_is_taken_up_by_its_name(google: GoogleSpeech, minute: Path) -> None:
    call = Unpaced()
    broken_off(google, minute, call)
    first = words(run(google.address, minute, language="ko", call=call))
    again = words(run(google.address, minute, language="ko", call=call))
    assert first == again != []
    assert (google.methods["BatchRecognize"], google.methods["ListOperations"]) == (1, 0)
    assert google.staged == {}


def test_one_whose_name_was_not_noted_any_more_is_found(google: GoogleSpeech, minute: Path) -> None:
    call = Dying(2)  # the folder is noted first
    with pytest.raises(Unavailable, match="died"):
        run(google.address, minute, language="ko", call=call)
    assert words(run(google.address, minute, language="ko", call=call))
    assert (google.batches.total(), google.methods["ListOperations"]) == (1, 1)
    assert google.staged == {}


def test_one_whose_beginning_was_not_heard_of_is_found(google: GoogleSpeech, minute: Path) -> None:
    call = Unpaced()
    google.wrongs.append(Wrong("BatchRecognize", CODE.UNAVAILABLE, does=True))
    with pytest.raises(Unavailable):
        run(google.address, minute, language="ko", call=call)
    assert words(run(google.address, minute, language="ko", call=call))
    assert google.batches.total() == 1


def test_who_may_not_look_for_one_begins_anew(google: GoogleSpeech, minute: Path) -> None:
    call = Dying(2)
    with pytest.raises(Unavailable, match="died"):
        run(google.address, minute, language="ko", call=call)
    google.wrongs.append(Wrong("ListOperations", CODE.PERMISSION_DENIED))
    assert words(run(google.address, minute, language="ko", call=call))
    assert google.batches.total() == 2


def test_what_was_put_there_is_not_put_there_again(google: GoogleSpeech, minute: Path) -> None:
    call = Unpaced()
    google.wrongs.append(Wrong("BatchRecognize", CODE.RESOURCE_EXHAUSTED))
    with pytest.raises(RateLimited):
        run(google.address, minute, language="ko", call=call)
    calls = len(google.gcs.calls)
    assert words(run(google.address, minute, language="ko", call=call))
    assert not any("/upload/" in one for one in google.gcs.calls[calls:])
    assert google.staged == {}


def test_what_google_refuses_is_removed(google: GoogleSpeech, minute: Path) -> None:
    google.wrongs.append(Wrong("BatchRecognize", CODE.INVALID_ARGUMENT))
    with pytest.raises(Rejected):
        run(google.address, minute)
    assert google.staged == {}


def test_one_that_google_has_forgotten_is_begun_anew(google: GoogleSpeech, minute: Path) -> None:
    call = Unpaced()
    broken_off(google, minute, call)
    google.operations.clear()
    assert words(run(google.address, minute, language="ko", call=call))
    assert google.batches.total() == 2
    assert google.staged == {}


def test_one_that_failed_is_begun_anew(google: GoogleSpeech, minute: Path) -> None:
    call = Unpaced()
    google.file_errors.append(status_pb2.Status(code=13, message="internal"))
    with pytest.raises(Unavailable):
        run(google.address, minute, language="ko", call=call)
    assert words(run(google.address, minute, language="ko", call=call))
    assert google.batches.total() == 2
    assert google.staged == {}


def test_another_language_is_another_operation(google: GoogleSpeech, minute: Path) -> None:
    call = Unpaced()
    korean = words(run(google.address, minute, language="ko", call=call))
    assert words(run(google.address, minute, language="en", call=call)) != korean
    assert google.methods["BatchRecognize"] == 2


def test_another_sound_with_the_same_piece_has_an_object_of_its_own(google: GoogleSpeech, minute: Path) -> None:
    """The same film of two users: neither removes what the other still needs."""
    one, other = Unpaced(), Unpaced()
    broken_off(google, minute, one)
    assert words(run(google.address, minute, language="ko", call=other))
    assert len(google.staged) == 1
    assert one.recall(FOLDER_NOTE) != other.recall(FOLDER_NOTE)
    assert words(run(google.address, minute, language="ko", call=one))
    assert google.staged == {}
