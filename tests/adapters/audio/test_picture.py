"""Hostile pictures cost themselves at most: the sound comes out, nothing hangs, nothing stays."""

import resource
import time
from pathlib import Path

import av
import psutil
import pytest

from biblio.ports.audio import AudioExtractor
from tests.adapters.audio.building import extractor_with, program
from tests.contracts.audio import ignore
from tests.contracts.audio_pictures import LARGEST
from tests.contracts.films import SECONDS, BytesSource, make_film
from tests.hostile.bombs import bombs

FRAME = b"\xff\xc0"
LONGEST = 25.0


def film_of_jpegs(path: Path) -> bytearray:
    return bytearray(make_film(path, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p").read_bytes())


def sized(film: bytearray, width: int, height: int) -> bytes:
    """The same film, each picture of which claims to be so large."""
    at = film.find(FRAME)
    while at >= 0:
        film[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
        at = film.find(FRAME, at + 2)
    return bytes(film)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (65_500, 65_500), (8_000, 4_000), (0, 0), (1, 65_500)])
def test_a_picture_that_claims_to_be_huge_leaves_the_sound(
    extractor: AudioExtractor, tmp_path: Path, folder: Path, width: int, height: int
) -> None:
    film = sized(film_of_jpegs(tmp_path / "film.avi"), width, height)
    assert extractor.extract(BytesSource(film), folder, ignore).duration == pytest.approx(SECONDS, abs=0.1)
    picture, cost = _picture(extractor, film, tmp_path)
    assert picture is None or picture.stat().st_size < LARGEST
    assert cost < 512 * 1024


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "avi"])
def test_a_broken_picture_track_leaves_the_sound(
    extractor: AudioExtractor, tmp_path: Path, folder: Path, ending: str
) -> None:
    """Every picture is overwritten with noise; their containers still say where they lie."""
    film = bytearray(make_film(tmp_path / f"film.{ending}", size="640x360", seconds=8).read_bytes())
    sound = extractor.extract(BytesSource(bytes(film)), folder, ignore)
    with_noise = _noise_in_pictures(tmp_path / f"film.{ending}", film)
    picture, _ = _picture(extractor, with_noise, tmp_path)
    assert picture is None or picture.stat().st_size < LARGEST
    (folder / "again").mkdir()
    again = extractor.extract(BytesSource(with_noise), folder / "again", ignore)
    assert again.duration == pytest.approx(sound.duration, abs=0.1)


@pytest.mark.parametrize("name", sorted(bombs()))
def test_a_film_that_asks_for_much_gets_no_picture_or_a_small_one(tmp_path: Path, name: str) -> None:
    picture, _ = _picture(extractor_with(), bombs()[name], tmp_path)
    assert picture is None or picture.stat().st_size < LARGEST


def test_a_program_that_hangs_costs_the_picture(tmp_path: Path) -> None:
    stuck = program(tmp_path, "kill -STOP $$")
    picture, _ = _picture(extractor_with(binary=stuck, stall=0.5), b"x", tmp_path)
    assert picture is None


def test_what_is_no_picture_though_ffmpeg_says_so_is_none(tmp_path: Path) -> None:
    liar = program(tmp_path, ": > poster.jpg")
    assert _picture(extractor_with(binary=liar), b"x", tmp_path)[0] is None


def _picture(extractor: AudioExtractor, film: bytes, tmp_path: Path) -> tuple[Path | None, int]:
    """The picture, and the most memory that anything started here has taken, in KiB."""
    folder = tmp_path / "picture"
    folder.mkdir()
    source, began = BytesSource(film), time.monotonic()
    picture = extractor.picture(source, folder, SECONDS, ignore)
    assert time.monotonic() - began < LONGEST
    assert source.open == 0
    assert psutil.Process().children(recursive=True) == []
    return picture, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def _noise_in_pictures(path: Path, film: bytearray) -> bytes:
    with av.open(str(path)) as opened:
        packets = [(packet.pos, packet.size) for packet in opened.demux(video=0) if packet.pos is not None]
    for number, (at, size) in enumerate(packets):
        film[at + 16 : at + size] = bytes((number * 31 + index * 7 + 129) % 251 for index in range(max(0, size - 16)))
    return bytes(film)
