"""`biblio sweep`, `biblio check` and `biblio reembed` on real engines."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from io import BytesIO
from uuid import uuid4

import pytest

from biblio.bootstrap import build, engines
from biblio.domain.flow import Status, Step
from biblio.pipeline.services import Services
from biblio.settings import read_settings
from tests.cli.conftest import COMMAND, SOURCES
from tests.contracts.catalog_suite import add_video, new_user


@pytest.fixture(scope="module")
def ours(own_addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Others' drift would be told, too."""
    return own_addresses


@pytest.fixture(scope="module")
def services(ours: Mapping[str, str]) -> Iterator[Services]:
    services = build(read_settings({}, defaults=ours))
    for name in ("catalog", "storage", "vectors"):
        engines(services)[name].prepare()
    yield services
    for engine in engines(services).values():
        engine.close()


def test_sweep_announces_what_was_left(ours: Mapping[str, str], services: Services) -> None:
    assert biblio(ours, "sweep").stderr == "0 jobs were announced.\n"
    waiting_since_long(services)
    assert biblio(ours, "sweep").stderr == "1 job was announced.\n"


def test_check_tells_drift_and_mends_it(ours: Mapping[str, str], services: Services) -> None:
    done = biblio(ours, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "The stores agree.\n")
    stray = f"videos/{uuid4()}/audio_extracted.mp3"
    services.storage.write(stray, BytesIO(b"nobody's"), content_type="audio/mpeg")
    done = biblio(ours, "check")
    assert done.returncode == 1
    assert done.stdout == f"✗ belongs to no video: object {stray}\n"
    assert "`biblio check --mend`" in done.stderr
    (line,) = biblio(ours, "check", "--mend", "--json").stdout.splitlines()
    assert json.loads(line) == {"what": "belongs to no video", "where": f"object {stray}", "mended": True}
    assert biblio(ours, "check").returncode == 0
    film = f"videos/{uuid4()}/original.mp4"
    services.storage.write(film, BytesIO(b"sent before a restore"), content_type="video/mp4")
    done = biblio(ours, "check", "--mend")
    assert (done.returncode, done.stdout) == (1, f"✗ belongs to no video: object {film}\n")
    assert services.storage.stat(film).size == 21
    services.storage.remove(film)


def test_reembed_takes_another_embedder_and_no_other_address(ours: Mapping[str, str], services: Services) -> None:
    same = biblio(ours, "reembed", "--to", "use://")
    assert (same.returncode, same.stdout) == (1, "")
    assert same.stderr.startswith("error: That is the embedder in use already. (SAME_EMBEDDER)")
    unknown = biblio(ours, "reembed", "--to", "nothing://")
    assert unknown.returncode == 1
    assert "Traceback" not in unknown.stderr
    assert biblio(ours, "reembed").returncode == 2


def test_doctor_tries_each_of_several_speech_engines(ours: Mapping[str, str]) -> None:
    done = biblio({**ours, "BIBLIO_SPEECH": "scripted:// whisper://house?folder=/nowhere/at/all"}, "doctor")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert [line.split()[0] for line in lines if " speech scripted " in line] == ["✓"]
    assert [line.split()[0] for line in lines if " speech faster-whisper " in line] == ["✗"]
    assert [line for line in lines if line.startswith("✗") and "faster-whisper" not in line] == []


def waiting_since_long(services: Services) -> None:
    video = add_video(services.catalog, new_user(services.catalog), status=Status.PENDING)
    with services.catalog.transaction() as tx:
        tx.jobs.request(video, Step.EXTRACT)

    time.sleep(1.5)  # before that, whoever wished for it is given the time to announce it


def biblio(ours: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**ours, "PYTHONPATH": SOURCES, "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "HOME": "/nowhere"}
    command = [*COMMAND, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=200)
