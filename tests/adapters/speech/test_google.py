"""Google Speech, tested against an emulator: the contract, its address, its languages and its round trip."""

import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import ServiceUnavailable

from biblio.adapters.speech.google import connect
from biblio.adapters.speech.google_errors import translated
from biblio.adapters.speech.google_languages import TAGS, Candidates, iso, tag_of
from biblio.dsn import Dsn
from biblio.errors import Misconfigured, Unavailable
from biblio.ports.speech import SpeechEngine
from tests.contracts.speech import SpeechContract, Spoken
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.google_speech_state import STAGING, GoogleSpeech, Wrong


@pytest.fixture(scope="module")
def emulator() -> Iterator[GoogleSpeech]:
    with google_speech_emulator() as emulator:
        emulator.spoken = "en-US"
        yield emulator


@pytest.fixture(scope="module")
def engine(emulator: GoogleSpeech) -> Iterator[SpeechEngine]:
    engine = connect(Dsn.parse(emulator.address))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def spoken(english: Spoken) -> Spoken:
    return english


class TestGoogle(SpeechContract):
    pass


class TestAddress:
    @pytest.mark.parametrize(
        ("address", "hint"),
        [
            ("google://talks", "google://project/location"),
            ("google://talks/us/central1", "google://project/location"),
            ("google://talks/us-central1?modell=long", "Did you mean 'model'"),
            ("google://talks/us-central1?model=Chirp", "model"),
            ("google://talks/us-central1?languages=ko,klingon", "klingon"),
            ("google://talks/us-central1?languages=,", "languages"),
            ("google://talks/us-central1?results=bucket", "staging"),
            ("google://talks/us-central1?staging=s3://talks", "gs://bucket"),
            ("google://talks/us-central1?insecure=true", "endpoint"),
            ("google://talks/us-central1?insecure=true&endpoint=speech.example:443", "on this machine"),
            ("google://talks/us-central1?staging_endpoint=http://127.0.0.1:9", "https://"),
            ("google://talks/us-central1?endpoint=127.0.0.1:9&insecure=1&staging_endpoint=http://10.0.0.1", "machine"),
        ],
    )
    def test_what_cannot_be_right_is_refused_at_start(self, address: str, hint: str) -> None:
        with pytest.raises(Misconfigured, match=hint):
            connect(Dsn.parse(address))

    def test_a_file_that_is_no_key_is_named_and_not_shown(self, tmp_path: Path) -> None:
        path = tmp_path / "google.json"
        path.write_text('{"type": "service_account", "private_key": "hidden-word"}')
        engine = connect(Dsn.parse(f"google://talks/us-central1?credentials={path}"))
        with pytest.raises(Misconfigured, match="credentials") as refused:
            engine.ping()
        assert "hidden-word" not in f"{refused.value}{refused.value.__cause__}"

    def test_models_of_the_address_are_models(self) -> None:
        engine = connect(Dsn.parse("google://talks/us-central1?model=chirp_3&fast=long&high_quality=chirp_9"))
        named = [engine.model_name(name) for name in (None, "fast", "high_quality", "chirp_9", "latest_long")]
        assert named == ["chirp_3", "long", "chirp_9", "chirp_9", "latest_long"]


class TestRoundTrip:
    def test_the_location_and_the_bucket_are_tried(self, emulator: GoogleSpeech, engine: SpeechEngine) -> None:
        asked = emulator.methods["GetLocation"]
        engine.ping()
        assert emulator.methods["GetLocation"] == asked + 1
        assert not any("probe" in name for name in emulator.staged)
        assert [call.partition(" ")[0] for call in emulator.gcs.calls if "probe" in call][-1] == "DELETE"

    def test_a_model_that_the_location_lacks_is_named_with_those_it_has(self, emulator: GoogleSpeech) -> None:
        with pytest.raises(Misconfigured, match=r"us-central1 has no model chirp_9\. It has: chirp_2, chirp_3, long"):
            connect(Dsn.parse(f"{emulator.unstaged}&high_quality=chirp_9")).ping()
        connect(Dsn.parse(f"{emulator.unstaged}&model=latest_long")).ping()

    def test_a_bucket_that_is_not_there_is_told(self, emulator: GoogleSpeech) -> None:
        with pytest.raises(Misconfigured, match="no such project, location or bucket"):
            connect(Dsn.parse(emulator.address.replace(STAGING, "nowhere"))).ping()

    def test_nobody_there_is_unavailable(self) -> None:
        with pytest.raises(Unavailable):
            connect(Dsn.parse("google://talks/us-central1?endpoint=127.0.0.1:1&insecure=true&timeout=5")).ping()

    def test_what_may_not_be_used_is_told_in_googles_words(self, emulator: GoogleSpeech, engine: SpeechEngine) -> None:
        emulator.wrongs.append(Wrong("GetLocation", grpc.StatusCode.PERMISSION_DENIED))
        with pytest.raises(Misconfigured, match="may not use .*: as ordered"):
            engine.ping()


def test_the_session_of_an_upload_is_not_shown() -> None:
    url = "https://storage.googleapis.com/upload/storage/v1/b/talks/o?uploadType=resumable&upload_id=hidden-word"
    with pytest.raises(Unavailable, match="busy") as caught, translated():
        raise ServiceUnavailable(f"PUT {url}: busy")
    assert "hidden-word" not in "".join(traceback.format_exception(caught.value))


class TestLanguages:
    @pytest.mark.parametrize(
        ("language", "tag"),
        [
            ("ko", "ko-KR"),
            ("KO_kr", "ko-KR"),
            ("en", "en-US"),
            ("en-GB", "en-GB"),
            ("en-XX", "en-US"),
            ("zh", "cmn-Hans-CN"),
            ("zh-TW", "cmn-Hant-TW"),
            ("he", "iw-IL"),
            ("es-419", "es-419"),
            ("nb", "no-NO"),
        ],
    )
    def test_a_language_is_sent_in_full(self, language: str, tag: str) -> None:
        assert tag_of(language) == tag

    def test_every_tag_comes_back_as_its_language(self) -> None:
        assert {iso(tag) for tags in TAGS.values() for tag in tags} == set(TAGS)

    def test_a_candidate_says_which_country_is_meant(self) -> None:
        candidates = Candidates("ko,en-GB")
        assert candidates.tags(None) == ["ko-KR", "en-GB"]
        assert candidates.tags("en") == ["en-GB"]
        assert candidates.tags("en-AU") == ["en-AU"]
        assert candidates.tags("fr") == ["fr-FR"]

    def test_where_none_is_given_the_candidates_are_sent(self, emulator: GoogleSpeech, english: Spoken) -> None:
        sent = []
        for more in ("model=long", "model=long&languages=es,fr-CA", "model=chirp_3", "model=chirp_2&languages=ko,en"):
            list(connect(Dsn.parse(f"{emulator.unstaged}&{more}")).transcribe(english.audio, language=None, model=None))
            sent.append(list(emulator.asked[-1].language_codes))
        assert sent == [["ko-KR", "en-US"], ["es-ES", "fr-CA"], ["auto"], ["ko-KR", "en-US"]]

    def test_a_language_that_google_does_not_tell_stays_unknown(self, english: Spoken) -> None:
        with google_speech_emulator() as emulator:
            emulator.says_language = False
            engine = connect(Dsn.parse(emulator.unstaged))
            heard = list(engine.transcribe(english.audio, language=None, model=None))
            assert heard[-1].words
            assert {one.language for one in heard} == {""}
            asked = list(engine.transcribe(english.audio, language="es", model=None))
            assert asked[-1].language == "es"
            assert replace(asked[-1], language="", words=()) == replace(heard[-1], words=())
