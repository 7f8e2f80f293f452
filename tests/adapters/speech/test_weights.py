"""Weights are found without network, put together once, mended when damaged, and missed quickly."""

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from huggingface_hub import constants

from biblio.adapters.speech import weights
from biblio.adapters.speech.whisper import connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured

FIND = """
import sys, time
from biblio.adapters.speech.weights import locate
from biblio.errors import BiblioError
started = time.monotonic()
try:
    print(locate(sys.argv[1], None, folder_is_model=True))
except BiblioError as error:
    print(error.code, error.message)
print(time.monotonic() - started)
"""
CLOSED = {"HF_ENDPOINT": "http://127.0.0.1:9"}


def start(name: str, home: Path, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Look for a model in a process of its own, whose caches lie in `home`."""
    caches = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "HF_HOME": str(home / "hub")}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "BIBLIO_"))}
    return subprocess.Popen(
        [sys.executable, "-c", FIND, name],
        env={**kept, **caches, **CLOSED, **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def found(process: subprocess.Popen[str]) -> tuple[str, float]:
    """The place or the error, and the seconds it took. Nothing may be written to standard error."""
    out, err = process.communicate(timeout=60)
    assert err == ""
    place, seconds = out.splitlines()
    return place, float(seconds)


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights, put together in an empty cache."""
    for variable in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub" / "hub"))
    return find()


def find() -> Path:
    return weights.locate("base", None, folder_is_model=True)


def is_right(place: Path, name: str) -> bool:
    return hashlib.sha256((place / name).read_bytes()).hexdigest() == weights.BASE[name].sha256


def test_several_processes_put_them_together_at_once(tmp_path: Path) -> None:
    answers = [found(process) for process in [start("base", tmp_path) for _ in range(3)]]
    [place] = {place for place, _ in answers}
    assert sorted(path.name for path in Path(place).iterdir()) == sorted(weights.BASE)
    assert all(is_right(Path(place), name) for name in weights.BASE)


def test_they_are_put_together_once(joined: Path) -> None:
    before = {path: path.stat().st_ino for path in joined.iterdir()}
    assert find() == joined
    assert {path: path.stat().st_ino for path in joined.iterdir()} == before


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_truncated_copy_is_mended(joined: Path, name: str) -> None:
    with (joined / name).open("r+b") as file:
        file.truncate(1000)
    assert is_right(find(), name)


def test_a_copy_that_was_written_to_is_mended(joined: Path) -> None:
    with (joined / "model.bin").open("r+b") as file:
        file.seek(100_000_000)
        file.write(b"damage")
    assert is_right(find(), "model.bin")


def test_a_copy_that_was_only_touched_is_kept(joined: Path) -> None:
    before = (joined / "model.bin").stat().st_ino
    (joined / "model.bin").touch()
    assert (find() / "model.bin").stat().st_ino == before


def test_a_cache_that_cannot_be_written_to_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "biblio").write_text("a file where the folder should be")
    for variable in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(Misconfigured) as refused:
        weights.locate("base", None, folder_is_model=True)
    assert refused.value.code == "CACHE_UNUSABLE"


def test_the_hub_cache_comes_before_the_wheels(tmp_path: Path, joined: Path) -> None:
    stored = tmp_path / "hub" / "hub" / "models--Systran--faster-whisper-base"
    (stored / "refs").mkdir(parents=True)
    (stored / "refs" / "main").write_text("abc123")
    snapshot = stored / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").symlink_to(joined / "config.json")
    assert found(start("base", tmp_path))[0] == str(joined), "an unfinished download is passed over"
    for name in ("model.bin", "tokenizer.json", "vocabulary.txt"):
        (snapshot / name).symlink_to(joined / name)
    assert found(start("base", tmp_path))[0] == str(snapshot)


def test_a_folder_given_by_the_user_comes_first(tmp_path: Path, joined: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    assert weights.locate("base", joined, folder_is_model=True) == joined, "the folder is the model"
    (models / "base").symlink_to(joined)
    assert weights.locate("base", models, folder_is_model=True) == models / "base", "the folder holds the model"
    (models / "ours").symlink_to(joined)
    assert weights.locate("ours", models, folder_is_model=False) == models / "ours", "a name of one's own"


@pytest.mark.parametrize("name", ["base", "ours"])
def test_a_folder_that_is_wrong_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match="does not exist") as missing:
        weights.locate(name, tmp_path / "none", folder_is_model=True)
    (tmp_path / name).mkdir()
    (tmp_path / name / "model.bin").touch()
    with pytest.raises(Misconfigured, match=r"lacks config\.json, tokenizer\.json") as lacking:
        weights.locate(name, tmp_path, folder_is_model=True)
    assert missing.value.code == lacking.value.code == "MODEL_NOT_FOUND"


def test_a_name_of_ones_own_is_looked_for_only_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as missing:
        weights.locate("ours", tmp_path, folder_is_model=True)
    assert missing.value.code == "MODEL_NOT_FOUND"


@pytest.mark.parametrize("closed", [CLOSED, {"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://hub.invalid"}])
def test_a_missing_model_fails_at_once_on_a_closed_machine(tmp_path: Path, closed: Mapping[str, str]) -> None:
    answer, seconds = found(start("tiny", tmp_path, closed))
    assert answer.startswith("MODEL_NOT_FOUND")
    assert "BIBLIO_SPEECH=whisper://tiny?folder=" in answer
    assert seconds < 2


def test_a_hub_that_never_answers_is_given_up_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        answer, seconds = found(start("tiny", tmp_path, {"HF_ENDPOINT": endpoint}))
    assert answer.startswith("MODEL_NOT_FOUND")
    assert seconds < 3


def test_the_models_of_fast_and_high_quality_are_made_ready_too(tmp_path: Path, joined: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "base").symlink_to(joined)
    with pytest.raises(Misconfigured, match="'ours'"):
        connect(Dsn.parse(f"whisper://base?folder={tmp_path}/models&high_quality=ours")).prepare()


def test_a_missing_model_stops_the_engine_before_it_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    engine = connect(Dsn.parse("whisper://large-v3"))
    engine.check("ko", "large-v3")
    started = time.monotonic()
    for ask in (engine.prepare, engine.ping, lambda: next(engine.transcribe(tmp_path, language=None, model=None))):
        with pytest.raises(Misconfigured) as missing:
            ask()
        assert missing.value.code == "MODEL_NOT_FOUND"
    assert time.monotonic() - started < 10
