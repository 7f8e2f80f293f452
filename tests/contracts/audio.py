"""What every adapter of the audio port promises; the promises stand in `biblio/ports/audio.py`."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from faster_whisper.audio import decode_audio

from biblio.domain.video import MIME_TYPES
from biblio.errors import BiblioError, Conflict, Rejected, Unavailable
from biblio.ports.audio import AudioExtractor, Sound
from tests.contracts.films import SECONDS, BytesSource, DyingSource, cut, make_film

RATE = 16_000


def ignore(_share: float) -> None:
    """Progress nobody looks at."""


def samples_of(path: Path) -> np.ndarray:
    """16 kHz mono samples between -1 and 1."""
    return np.asarray(decode_audio(str(path)))


def pitch_of(samples: np.ndarray) -> float:
    """The loudest frequency in hertz."""
    strength = np.abs(np.fft.rfft(samples))
    return float(np.argmax(strength) * RATE / len(samples))


class Listener:
    """Counts who connects to a port of 127.0.0.1."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.visitors = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.visitors += 1

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits, so that the port is free again
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One film of four seconds for each accepted ending, with a tone of 440 Hz."""
    folder = tmp_path_factory.mktemp("films")
    return {ending: make_film(folder / f"film.{ending}") for ending in MIME_TYPES}


class AudioContract:
    """Give it a fixture `extractor`, and it tests every promise."""

    @pytest.fixture(autouse=True)
    def _leaves_nothing_running(self) -> Iterator[None]:
        yield
        assert psutil.Process().children(recursive=True) == []
        assert [thread.name for thread in threading.enumerate() if thread.name == "relay"] == []

    @pytest.mark.parametrize("ending", sorted(MIME_TYPES))
    def test_the_sound_of_every_accepted_container_comes_out_whole(
        self, extractor: AudioExtractor, films: dict[str, Path], tmp_path: Path, ending: str
    ) -> None:
        source = BytesSource(films[ending].read_bytes())
        sound = extractor.extract(source, tmp_path, ignore)
        assert source.open == 0
        assert sound.duration == pytest.approx(SECONDS, abs=0.1)
        for path in (sound.listening, sound.speech):
            samples = samples_of(path)
            assert len(samples) / RATE == pytest.approx(SECONDS, abs=0.1)
            assert pitch_of(samples) == pytest.approx(440, abs=1)
        assert sound.speech.read_bytes()[:4] == b"fLaC"
        assert sorted(tmp_path.iterdir()) == sorted([sound.listening, sound.speech])

    @pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
    def test_times_in_the_sound_are_times_in_the_film(
        self, extractor: AudioExtractor, tmp_path: Path, ending: str
    ) -> None:
        film = make_film(tmp_path / f"late.{ending}", seconds=24, late=21)
        sound = self._extract(extractor, film.read_bytes(), tmp_path)
        for path in (sound.speech, sound.listening):
            loud = np.flatnonzero(np.abs(samples_of(path)) > 0.02) / RATE
            assert loud[0] == pytest.approx(21, abs=0.1)
            assert loud[-1] == pytest.approx(24, abs=0.1)

    def test_a_video_is_read_by_ranges_and_never_lies_on_disk_as_a_whole(
        self, extractor: AudioExtractor, tmp_path: Path
    ) -> None:
        film = make_film(tmp_path / "big.mp4", "-crf", "0", seconds=12, size="1280x720")  # its index lies at the end
        seen: list[int] = []
        folder = tmp_path / "out"
        folder.mkdir()
        source = BytesSource(film.read_bytes(), pause=0.01)
        extractor.extract(source, folder, lambda _: seen.append(sum(file.stat().st_size for file in folder.iterdir())))
        assert source.size > 8 * 1024**2
        assert any(start > source.size / 2 for start in source.starts)
        assert source.given < 1.5 * source.size
        assert max(seen) < source.size / 10

    def test_progress_rises_from_0_to_1(self, extractor: AudioExtractor, tmp_path: Path) -> None:
        film = make_film(tmp_path / "long.mp4", "-movflags", "faststart", seconds=60)
        told: list[tuple[float, float]] = []
        folder = tmp_path / "out"
        folder.mkdir()
        source = BytesSource(film.read_bytes(), piece=film.stat().st_size // 40, pause=0.05)
        extractor.extract(source, folder, lambda share: told.append((time.monotonic(), share)))
        shares = [share for _, share in told]
        assert shares[0] == 0
        assert shares[-1] == 1
        assert shares == sorted(shares)
        assert any(0 < share < 1 for share in shares)
        assert max(later - earlier for (earlier, _), (later, _) in zip(told, told[1:], strict=False)) < 1

    def test_a_video_without_sound_is_rejected_as_no_audio_track(
        self, extractor: AudioExtractor, tmp_path: Path
    ) -> None:
        film = make_film(tmp_path / "silent.mp4", "-an")
        self._rejects(extractor, film.read_bytes(), tmp_path, "NO_AUDIO_TRACK")

    @pytest.mark.parametrize("data", [b"", b"no video at all\n" * 9, bytes(100_000), b"\0\0\0\x18ftypisom" + bytes(16)])
    def test_what_is_no_video_is_rejected_as_unreadable_media(
        self, extractor: AudioExtractor, tmp_path: Path, data: bytes
    ) -> None:
        self._rejects(extractor, data, tmp_path, "UNREADABLE_MEDIA")

    @pytest.mark.parametrize("ending", ["mp4", "mov", "avi", "mkv", "webm", "m4a", "wav", "flac", "mp3"])
    def test_a_video_that_ends_in_the_middle_is_rejected_as_unreadable_media(
        self, extractor: AudioExtractor, tmp_path: Path, ending: str
    ) -> None:
        first = ("-movflags", "faststart") if ending in ("mov", "m4a") else ()  # the index, which is then all there
        film = make_film(tmp_path / f"whole.{ending}", *first, seconds=12)
        self._rejects(extractor, cut(film), tmp_path, "UNREADABLE_MEDIA")

    def test_a_media_file_never_makes_anything_read_another_file_or_the_network(
        self, extractor: AudioExtractor, films: dict[str, Path], tmp_path: Path, listener: Listener
    ) -> None:
        url = f"http://127.0.0.1:{listener.port}/secret.wav"
        lists = [f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n" for target in (url, films["mp4"])]
        lists += [f"ffconcat version 1.0\nfile '{target}'\n" for target in (url, films["mp4"], films["wav"])]
        for text in lists:
            self._rejects(extractor, text.encode(), tmp_path, "UNREADABLE_MEDIA")
        assert listener.visitors == 0

    def test_what_protection_this_system_lacks_is_said_in_sentences(self, extractor: AudioExtractor) -> None:
        assert all(sentence.endswith(".") and " " in sentence for sentence in extractor.shortcomings())

    @pytest.mark.parametrize("code", ["ENGINE_UNAVAILABLE", "OBJECT_CHANGED", "SHORT_READ"])
    def test_storage_that_dies_half_way_is_unavailable_not_unreadable_media(
        self, extractor: AudioExtractor, tmp_path: Path, code: str
    ) -> None:
        film = make_film(tmp_path / "film.mkv", seconds=12, size="640x480")
        folder = tmp_path / "out"
        folder.mkdir()

        def die() -> None:
            if code == "OBJECT_CHANGED":
                raise Conflict("It changed.", code=code)
            if code == "ENGINE_UNAVAILABLE":
                raise Unavailable("Storage went away.")

        source = DyingSource(film.read_bytes(), die)
        with pytest.raises(BiblioError) as caught:
            extractor.extract(source, folder, ignore)
        assert caught.value.code == code
        assert isinstance(caught.value, (Unavailable, Conflict))
        assert source.open == 0
        assert list(folder.iterdir()) == []

    def test_a_raise_in_the_progress_call_stops_the_work_at_once_and_leaves_no_process(
        self, extractor: AudioExtractor, films: dict[str, Path], tmp_path: Path
    ) -> None:
        class Canceled(BaseException):
            pass

        began = time.monotonic()

        def cancel(_share: float) -> None:
            if time.monotonic() - began > 0.8:
                raise Canceled

        source = BytesSource(films["mp4"].read_bytes(), piece=100, pause=0.05)  # would take far longer
        with pytest.raises(Canceled):
            extractor.extract(source, tmp_path, cancel)
        assert time.monotonic() - began < 2.5
        assert list(tmp_path.iterdir()) == []

    def _extract(self, extractor: AudioExtractor, data: bytes, tmp_path: Path) -> Sound:
        folder = tmp_path / "out"
        folder.mkdir()
        return extractor.extract(BytesSource(data), folder, ignore)

    def _rejects(self, extractor: AudioExtractor, data: bytes, tmp_path: Path, code: str) -> None:
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        source = BytesSource(data)
        with pytest.raises(Rejected) as caught:
            extractor.extract(source, folder, ignore)
        assert caught.value.code == code
        assert list(folder.iterdir()) == []
        assert source.open == 0
