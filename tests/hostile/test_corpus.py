"""Every hostile file ends with a code, soon and cheaply, and reaches nothing but itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.audio import Listener
from tests.hostile.bombs import bombs
from tests.hostile.conftest import CANARY_SECONDS
from tests.hostile.grinder import Outcome, grind
from tests.hostile.links import links, with_sound

CODES = {"UNREADABLE_MEDIA", "NO_AUDIO_TRACK", "MEDIA_TOO_COSTLY", "TOO_LONG"}
LONGEST = 3600  # seconds of sound allowed here: a film that lasts for ever costs as much as one that lasts so long
MOST_CPU, MOST_MEMORY = 20, 512 * 1024**2
MOST_SECONDS = 120  # 30 where nothing else runs, as it does here
MOST_BYTES = LONGEST * 48_000


def test_no_file_is_followed_that_a_hostile_one_names(
    binary: str, tmp_path: Path, canary_film: Path, listener: Listener
) -> None:
    files = links(canary_film, f"http://127.0.0.1:{listener.port}/secret.mp4")
    outcomes = _grind(binary, tmp_path, files)
    assert {outcome.name: outcome.code for outcome in outcomes if outcome.code not in CODES} == {}
    assert [outcome.name for outcome in outcomes if canary_film.name in outcome.message] == []
    assert listener.visitors == 0


def test_a_film_that_names_another_gives_its_own_sound_only(
    binary: str, tmp_path: Path, canary_film: Path, listener: Listener
) -> None:
    outcomes = _grind(binary, tmp_path, with_sound(canary_film, f"http://127.0.0.1:{listener.port}/secret.mp4"))
    assert {outcome.code for outcome in outcomes} <= {*CODES, "sound"}
    assert any(outcome.code == "sound" for outcome in outcomes)
    assert max(outcome.duration for outcome in outcomes) < CANARY_SECONDS / 3
    assert listener.visitors == 0


def test_a_file_that_asks_for_much_gets_little(binary: str, tmp_path: Path) -> None:
    outcomes = _grind(binary, tmp_path, bombs())
    assert {outcome.code for outcome in outcomes} <= {*CODES, "sound"}
    assert sum(outcome.code in CODES for outcome in outcomes) > len(outcomes) / 2


def test_the_shared_hostile_files_end_with_a_sound_or_a_code(binary: str, tmp_path: Path, test_data: Path) -> None:
    files = {path.name: path.read_bytes() for path in (test_data / "hostile").iterdir()}
    outcomes = _grind(binary, tmp_path, files)
    assert {outcome.code for outcome in outcomes} == {"sound", "UNREADABLE_MEDIA", "NO_AUDIO_TRACK"}


def test_there_are_enough_of_them(canary_film: Path) -> None:
    assert len(links(canary_film, "http://127.0.0.1:1/")) >= 40
    assert len(bombs()) >= 25


def _grind(binary: str, tmp_path: Path, files: dict[str, bytes]) -> list[Outcome]:
    """The outcome of each, after looking at what all of them cost and left."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    outcomes = grind(folder, timeout=280, binary=binary, max_duration=LONGEST)
    assert [outcome.name for outcome in outcomes] == sorted(files)
    for outcome in outcomes:
        assert outcome.seconds < MOST_SECONDS, outcome
        assert outcome.cpu < MOST_CPU, outcome
        assert outcome.peak < MOST_MEMORY, outcome
        assert outcome.written < MOST_BYTES, outcome
        assert outcome.left == outcome.transfers_open == 0, outcome
        assert outcome.code == "sound" or outcome.message.endswith("."), outcome
    return outcomes


@pytest.fixture(autouse=True)
def _leaves_no_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    yield
    assert list(place.iterdir()) == []
