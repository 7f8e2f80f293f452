"""Real media, damaged at random: the same damage for the same seed."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

LARGEST = 150_000  # bytes of a sample: the damage is in the headers oftener then, and a run is short
ENDINGS = {".mp4", ".mov", ".m4a", ".mkv", ".webm", ".avi", ".mp3", ".wav", ".flac"}
EXTREMES = (0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x0100_0000, 0xFFFF)
HEADER = 4096


def samples(folder: Path) -> list[bytes]:
    """What is small and of an accepted kind below `folder`, in an order that stays."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS and path.is_file())
    return [path.read_bytes() for path in paths if 0 < path.stat().st_size <= LARGEST]


def mutated(originals: list[bytes], seed: int, position: int) -> bytes:
    """One of them with one to four kinds of damage."""
    random = Random(f"{seed}:{position}")
    data = bytearray(random.choice(originals))
    for _ in range(random.randint(1, 4)):
        random.choice(DAMAGES)(data, random)
    if random.random() < 0.1:
        data[_place(data, random) :] = random.choice(originals)
    return bytes(data)


def _flip_bits(data: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 3, 30, 300))):
        at = _place(data, random)
        data[at : at + 1] = bytes([(data[at] if at < len(data) else 0) ^ 1 << random.randrange(8)])


def _cut_off(data: bytearray, random: Random) -> None:
    del data[_place(data, random) :]


def _cut_out(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    del data[at : at + random.choice((1, 8, 100, 5000))]


def _repeat(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    piece = data[at : at + random.choice((4, 64, 2000))]
    data[at:at] = piece * random.choice((1, 5, 50))


def _put_extreme(data: bytearray, random: Random) -> None:
    at, order = _place(data, random), random.choice(("big", "little"))
    data[at : at + 4] = random.choice(EXTREMES).to_bytes(4, "big" if order == "big" else "little")


def _edit_box(data: bytearray, random: Random) -> None:
    """A size, the fields or the name of a box, a chunk or whatever has a name of four letters."""
    names = [found.start() for found in re.finditer(rb"[a-zA-Z]{4}", bytes(data[: 64 * 1024]))]
    if not names:
        return
    at = random.choice(names)
    target = random.choice((max(0, at - 4), at + 4, at + 8 + 4 * random.randrange(8)))
    if random.random() < 0.2:
        data[at : at + 4] = random.choice((b"free", b"moov", b"trak", b"mdat", b"cmov", b"LIST", b"fLaC"))
    else:
        data[target : target + 4] = random.choice(EXTREMES).to_bytes(4, "big")


def _place(data: bytearray, random: Random) -> int:
    """Half of the damage falls into the first 4 KiB."""
    size = max(1, len(data))
    return random.randrange(min(size, HEADER)) if random.random() < 0.5 else random.randrange(size)


DAMAGES: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip_bits,
    _cut_off,
    _cut_out,
    _repeat,
    _put_extreme,
    _edit_box,
)
