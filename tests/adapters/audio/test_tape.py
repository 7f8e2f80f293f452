"""Jumps that cost nothing, and a memory that does not grow."""

from collections.abc import Iterator

import pytest

from biblio.adapters.audio.tape import READ_THROUGH, REMEMBERED, Tape
from tests.contracts.films import BytesSource

DATA = bytes(range(256)) * 64 * 1024  # 16 MiB


def test_short_jumps_cost_no_new_transfer_and_long_ones_do() -> None:
    source = BytesSource(DATA)
    tape = Tape(source)
    for start in (0, READ_THROUGH, 5, READ_THROUGH + 7):
        assert tape.read(start)[:4] == DATA[start : start + 4]
    assert source.starts == [0]
    far = 12 * 1024**2 + 3
    assert tape.read(far)[:4] == DATA[far : far + 4]
    assert source.starts == [0, far]
    tape.close()
    assert source.open == 0


def test_what_is_remembered_stays_small() -> None:
    tape = Tape(BytesSource(DATA))
    position = 0
    while piece := tape.read(position):
        position += len(piece)
        kept = sum(len(piece) for _, piece in tape._pieces)
        assert kept <= REMEMBERED + 64 * 1024
    assert position == len(DATA)
    assert tape.transferred == len(DATA)


def test_what_storage_raises_is_kept_for_the_caller() -> None:
    class Broken(BytesSource):
        def read(self, start: int) -> Iterator[bytes]:
            raise KeyError("a bug")

    tape = Tape(Broken(b"abc"))
    with pytest.raises(KeyError):
        tape.read(0)
    assert isinstance(tape.failure, KeyError)


def test_the_first_failure_is_the_one_that_counts() -> None:
    class Dying(BytesSource):
        def read(self, start: int) -> Iterator[bytes]:
            yield self.data[start : start + 1]
            raise KeyError("the first")

    tape = Tape(Dying(b"abc"))
    assert tape.read(0) == b"a"
    for _ in range(2):
        with pytest.raises(KeyError):
            tape.read(1)
