"""The same road on other engines: the tests of the main job, unchanged, with other addresses."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from biblio.entrypoints.cli.local_library import LocalLibrary
from biblio.local.folder import DataFolder
from biblio.settings import read_settings
from tests.conftest import Server
from tests.e2e.test_road import (  # noqa: F401 - collected here once more, for each house
    talk,
    test_a_deleted_video_is_hidden_at_once_and_gone_from_every_store,
    test_a_truncated_film_fails_with_its_code,
    test_no_sound_track_fails_with_its_code_and_keeps_the_original,
    test_silence_completes_with_an_empty_transcript,
    test_the_first_moment_is_the_right_one_for_nearly_all_questions,
    test_the_right_moment_of_the_sample,
)
from tests.emulators.gcs import running_gcs
from tests.emulators.gemini import gemini_emulator
from tests.emulators.google_speech import google_speech_emulator
from tests.emulators.hearing import whisper
from tests.emulators.openai import openai_emulator
from tests.emulators.pinecone import pinecone_emulator
from tests.emulators.qdrant import qdrant_emulator
from tests.emulators.weaviate import weaviate_emulator
from tests.rabbitmq import running

Addresses = Mapping[str, str]


@contextmanager
def on_rabbitmq(folder: Path) -> Iterator[Addresses]:
    with running(folder / "rabbitmq") as node:
        yield {"BIBLIO_QUEUE": node.address}


@contextmanager
def at_google(_: Path) -> Iterator[Addresses]:
    """Google Speech, Google Cloud Storage, Gemini and Pinecone."""
    with (
        running_gcs() as gcs,
        google_speech_emulator(gcs, whisper) as speech,
        gemini_emulator() as gemini,
        pinecone_emulator() as pinecone,
    ):
        yield {
            "BIBLIO_STORAGE": gcs.address,
            "BIBLIO_SPEECH": speech.address,
            "BIBLIO_EMBEDDER": gemini.embedder,
            "BIBLIO_VECTORS": pinecone,
        }


@contextmanager
def with_openai(_: Path) -> Iterator[Addresses]:
    """An OpenAI-compatible service, S3 (SeaweedFS) and Weaviate."""
    with openai_emulator(whisper) as openai, weaviate_emulator() as weaviate:
        yield {"BIBLIO_SPEECH": openai.speech, "BIBLIO_EMBEDDER": openai.embedder, "BIBLIO_VECTORS": weaviate}


@contextmanager
def with_qdrant(_: Path) -> Iterator[Addresses]:
    with qdrant_emulator() as qdrant:
        yield {"BIBLIO_VECTORS": qdrant}


HOUSES = (on_rabbitmq, at_google, with_openai, with_qdrant)


@pytest.fixture(scope="module", params=HOUSES, ids=lambda house: house.__name__)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A whole biblio in that house. What has no address of its own is embedded, as ever."""
    path = tmp_path_factory.mktemp("house")
    with request.param(path) as addresses, pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        for name, address in addresses.items():
            environment.setenv(name, address)  # as its user would
        folder = DataFolder(path / "library")
        library = LocalLibrary(folder, read_settings(), port=None, say=lambda _line: None)
        stack.enter_context(library.stack)
        key = folder.api_key.read_text().strip()
        yield Server(library.page, key, folder, {**library.stack.addresses, **addresses})
