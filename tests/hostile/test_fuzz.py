"""Damaged media by the hundred: each ends with a sound or a code, and the process that does it lives on."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom

import psutil
import pytest

from tests.hostile.grinder import Outcome, grind
from tests.hostile.mutation import mutated, samples

CODES = {"sound", "UNREADABLE_MEDIA", "NO_AUDIO_TRACK", "MEDIA_TOO_COSTLY", "TOO_LONG"}
MOST_SECONDS, MOST_MEMORY = 60, 512 * 1024**2
LANES = 2


@pytest.mark.timeout(3600)
def test_every_damaged_file_ends_with_a_sound_or_a_code(
    pytestconfig: pytest.Config, tmp_path: Path, test_data: Path
) -> None:
    before = set(psutil.Process().children())  # engines of other tests
    count = pytestconfig.getoption("--fuzz-media")
    seed = pytestconfig.getoption("--fuzz-media-seed") or SystemRandom().randrange(2**32)
    outcomes = _outcomes(tmp_path, samples(test_data), count, seed)
    again = f"again with --fuzz-media {count} --fuzz-media-seed {seed}"
    print(f"\n{count} damaged files, {again}:", dict(Counter(outcome.code for outcome in outcomes)))
    print("slowest", max(outcome.seconds for outcome in outcomes), "s; most memory", max(o.peak for o in outcomes))
    assert len(outcomes) == count, again
    for outcome in outcomes:
        assert outcome.code in CODES, (outcome, again)
        assert outcome.seconds < MOST_SECONDS, (outcome, again)
        assert outcome.peak < MOST_MEMORY, (outcome, again)
        assert outcome.left == outcome.transfers_open == 0, (outcome, again)
    assert set(psutil.Process().children()) - before == set(), again
    assert _running_in(tmp_path) == [], again


def test_the_same_seed_does_the_same_damage(test_data: Path) -> None:
    originals = samples(test_data)
    assert [mutated(originals, 7, at) for at in range(30)] == [mutated(originals, 7, at) for at in range(30)]
    assert mutated(originals, 7, 0) != mutated(originals, 8, 0)
    assert len(originals) > 20


def _outcomes(tmp_path: Path, originals: list[bytes], count: int, seed: int) -> list[Outcome]:
    folders = [tmp_path / str(lane) for lane in range(LANES)]
    for folder in folders:
        folder.mkdir()
    for position in range(count):
        (folders[position % LANES] / f"{position:06d}").write_bytes(mutated(originals, seed, position))
    with ThreadPoolExecutor(LANES) as lanes:
        ground = lanes.map(lambda folder: grind(folder, timeout=60 + 2 * count), folders)
        return [outcome for outcomes in ground for outcome in outcomes]


def _running_in(folder: Path) -> list[str]:
    """Orphans keep the folder they work in."""
    here = [process for process in psutil.process_iter(["cwd", "uids"]) if process.info["uids"].real == os.getuid()]
    return [process.name() for process in here if (process.info["cwd"] or "").startswith(str(folder))]
