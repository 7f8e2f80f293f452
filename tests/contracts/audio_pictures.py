"""What every adapter of the audio port promises about pictures; the promises stand in `biblio/ports/audio.py`."""

from pathlib import Path

import av
import numpy as np
import pytest

from biblio.errors import Unavailable
from biblio.ports.audio import AudioExtractor
from tests.contracts.audio import ignore
from tests.contracts.films import SECONDS, BytesSource, DyingSource, ffmpeg, make_film

WIDEST, LARGEST = 640, 100_000


def seen_in(picture: Path) -> np.ndarray:
    """Its pixels: rows, columns, red green blue."""
    with av.open(str(picture), format="mjpeg") as opened:
        return next(opened.decode(video=0)).to_ndarray(format="rgb24")


class PictureContract:
    """Give it a fixture `extractor`, and it tests every promise."""

    @pytest.mark.parametrize("ending", ["mp4", "mov", "avi", "mkv", "webm", "m4v"])
    def test_a_picture_shows_what_is_seen_in_the_film_and_is_small(
        self, extractor: AudioExtractor, tmp_path: Path, ending: str
    ) -> None:
        film = make_film(tmp_path / f"film.{ending}", size="1280x720")
        folder, source = self._folder(tmp_path), BytesSource(film.read_bytes())
        picture = extractor.picture(source, folder, SECONDS, ignore)
        assert picture is not None
        assert list(folder.iterdir()) == [picture]
        assert picture.read_bytes()[:3] == b"\xff\xd8\xff"
        assert picture.stat().st_size < LARGEST
        pixels = seen_in(picture)
        assert pixels.shape == (360, WIDEST, 3)
        assert pixels.std() > 40, "the test picture has all colours"
        assert source.open == 0

    @pytest.mark.parametrize(
        ("size", "shape", "seen"),
        [
            ("160x120", "1", (120, 160)),  # not blown up
            ("160x120", "2", (120, 320)),
            ("720x1280", "1", (640, 360)),
            ("2x600", "1", (600, 2)),
            ("1921x1081", "1", (360, WIDEST)),
        ],
    )
    def test_a_picture_is_upright_and_of_square_pixels(
        self, extractor: AudioExtractor, tmp_path: Path, size: str, shape: str, seen: tuple[int, int]
    ) -> None:
        film = make_film(tmp_path / "film.mkv", "-vf", f"setsar={shape}", "-pix_fmt", "yuv444p", size=size)
        picture = extractor.picture(BytesSource(film.read_bytes()), self._folder(tmp_path), SECONDS, ignore)
        assert picture is not None
        assert seen_in(picture).shape[:2] == seen

    @pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
    def test_a_picture_is_found_however_far_apart_the_films_key_frames_are(
        self, extractor: AudioExtractor, tmp_path: Path, ending: str
    ) -> None:
        film = make_film(tmp_path / f"film.{ending}", "-g", "10000", "-sc_threshold", "0", seconds=90)
        picture = extractor.picture(BytesSource(film.read_bytes()), self._folder(tmp_path), 90.0, ignore)
        assert picture is not None
        assert seen_in(picture).std() > 40

    def test_a_picture_is_not_black_where_anything_else_is_to_be_seen(
        self, extractor: AudioExtractor, tmp_path: Path
    ) -> None:
        film = tmp_path / "film.mp4"
        shades = ("-f", "lavfi", "-i", "color=black:s=320x180:d=9", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=11")
        ffmpeg(*shades, "-filter_complex", "[0][1]concat", "-c:v", "libx264", "-pix_fmt", "yuv420p", film)
        picture = extractor.picture(BytesSource(film.read_bytes()), self._folder(tmp_path), 20.0, ignore)
        assert picture is not None
        assert seen_in(picture).mean() > 40

    @pytest.mark.parametrize("ending", ["mp3", "wav", "m4a", "flac"])
    def test_a_film_without_a_picture_that_can_be_shown_has_none(
        self, extractor: AudioExtractor, films: dict[str, Path], tmp_path: Path, ending: str
    ) -> None:
        folder = self._folder(tmp_path)
        assert extractor.picture(BytesSource(films[ending].read_bytes()), folder, SECONDS, ignore) is None

    def test_a_cover_is_no_picture_of_a_film(self, extractor: AudioExtractor, tmp_path: Path) -> None:
        cover, song = tmp_path / "cover.jpg", tmp_path / "song.m4a"
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-frames:v", "1", cover)
        tone = ("-f", "lavfi", "-i", "sine=440:d=4")
        ffmpeg(*tone, "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic", song)
        assert extractor.picture(BytesSource(song.read_bytes()), self._folder(tmp_path), SECONDS, ignore) is None

    def test_storage_that_dies_meanwhile_is_unavailable(self, extractor: AudioExtractor, tmp_path: Path) -> None:
        film = make_film(tmp_path / "film.mp4", size="1280x720")

        def die() -> None:
            raise Unavailable("Storage went away.")

        with pytest.raises(Unavailable, match="Storage went away"):
            extractor.picture(DyingSource(film.read_bytes(), die), self._folder(tmp_path), SECONDS, ignore)

    def test_a_raise_in_the_progress_call_of_a_picture_stops_the_work(
        self, extractor: AudioExtractor, tmp_path: Path
    ) -> None:
        film = make_film(tmp_path / "film.mp4", size="1280x720")

        def lose(_share: float) -> None:
            raise Unavailable("The lease is gone.")

        source = BytesSource(film.read_bytes(), piece=1000, pause=0.05)
        with pytest.raises(Unavailable, match="lease"):
            extractor.picture(source, self._folder(tmp_path), SECONDS, lose)
        assert source.open == 0

    def _folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "out"
        folder.mkdir()
        return folder
