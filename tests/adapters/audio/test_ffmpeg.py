"""FFmpeg as a program: the contract with every binary at hand, odd and hostile files, and its cage."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from biblio.adapters.audio.binary import find_ffmpeg
from biblio.adapters.audio.ffmpeg import connect
from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.riff import missing_bytes
from biblio.adapters.audio.tape import READ_THROUGH, REMEMBERED, Tape
from biblio.dsn import Dsn
from biblio.errors import BiblioError, Misconfigured, Rejected, Unavailable
from biblio.ports.audio import AudioExtractor, Sound
from tests.contracts.audio import AudioContract, Listener, films, ignore, listener, samples_of
from tests.contracts.films import BytesSource, ffmpeg, make_film

__all__ = ["films", "listener"]

CANARY_PORT = 18_999
BUNDLED = str(next((Path(sys.prefix) / "lib").glob("python3*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*")))
BINARIES = sorted({BUNDLED, find_ffmpeg("")})


def extractor_with(**options: object) -> AudioExtractor:
    return connect(Dsn("ffmpeg", options={name: str(value) for name, value in options.items()}))


@pytest.fixture(params=BINARIES, ids=lambda path: Path(path).name)
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def extractor(binary: str) -> AudioExtractor:
    return extractor_with(binary=binary, stall=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


class TestFfmpeg(AudioContract):
    """Both the system's and the bundled program keep the contract."""


class TestOddFiles:
    @pytest.mark.parametrize(
        ("name", "form", "extra"),
        [
            ("phone.wav", "sample_rates=8000:channel_layouts=mono", ("-c:a", "pcm_mulaw")),
            ("studio.flac", "sample_rates=96000:channel_layouts=stereo", ("-sample_fmt", "s32")),
            ("cinema.mp4", "sample_rates=48000:channel_layouts=5.1", ()),
            ("three.wav", "sample_rates=11025:channel_layouts=3.0", ()),
            ("old.mov", "sample_rates=22050:channel_layouts=mono", ("-c:a", "pcm_u8")),
        ],
    )
    def test_every_rate_and_number_of_channels_comes_out(
        self, extractor: AudioExtractor, tmp_path: Path, folder: Path, name: str, form: str, extra: tuple[str, ...]
    ) -> None:
        film = make_film(tmp_path / name, "-af", f"aformat={form}", *extra)
        sound = extractor.extract(BytesSource(film.read_bytes()), folder, ignore)
        assert sound.duration == pytest.approx(4, abs=0.1)
        assert len(samples_of(sound.listening)) / 16_000 == pytest.approx(4, abs=0.1)

    @pytest.mark.parametrize("ending", ["wav", "avi", "flac", "mp3", "mp4"])
    def test_speech_is_what_faster_whisper_would_hear_in_the_original(
        self, extractor: AudioExtractor, films: dict[str, Path], folder: Path, ending: str
    ) -> None:
        sound = extractor.extract(BytesSource(films[ending].read_bytes()), folder, ignore)
        ours, theirs = samples_of(sound.speech), samples_of(films[ending])
        both = min(len(ours), len(theirs))
        assert abs(len(ours) - len(theirs)) < 400  # padding after the end, which not every version drops
        assert np.abs(ours[: both - 32] - theirs[: both - 32]).max() < 3 / 32_768

    def test_a_gap_of_twenty_minutes_is_filled_without_filling_memory(
        self, tmp_path: Path, folder: Path, binary: str
    ) -> None:
        film = tmp_path / "gap.mkv"
        tones = (
            "-f",
            "lavfi",
            "-i",
            "sine=440:r=8000:d=2",
            "-itsoffset",
            "1200",
            "-f",
            "lavfi",
            "-i",
            "sine=440:r=8000:d=2",
        )
        ffmpeg(*tones, "-filter_complex", "[0][1]ainterleave,asetpts=PTS*8e-3,aselect=1", "-c:a", "pcm_s16le", film)
        modest = extractor_with(binary=binary, max_memory=300 * 1024**2)
        sound = modest.extract(BytesSource(film.read_bytes()), folder, ignore)
        loud = np.flatnonzero(np.abs(samples_of(sound.speech)) > 0.02) / 16_000
        assert loud[0] == pytest.approx(0, abs=0.1)
        assert loud[-1] == pytest.approx(1202, abs=0.5)
        assert not np.any((loud > 2.5) & (loud < 1199.5))

    def test_a_live_recording_without_a_stated_length_comes_out_whole(
        self, extractor: AudioExtractor, films: dict[str, Path], tmp_path: Path, folder: Path
    ) -> None:
        ffmpeg("-i", films["webm"], "-c", "copy", "-live", "1", tmp_path / "live.webm")
        sound = extractor.extract(BytesSource((tmp_path / "live.webm").read_bytes()), folder, ignore)
        assert sound.duration == pytest.approx(4, abs=0.1)

    @pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
    def test_sound_shorter_than_the_picture_is_no_cut_file(
        self, extractor: AudioExtractor, films: dict[str, Path], tmp_path: Path, folder: Path, ending: str
    ) -> None:
        short = tmp_path / f"short.{ending}"
        ffmpeg("-i", films[ending], "-t", "1.5", "-i", films[ending], "-map", "1:v", "-map", "0:a", "-c", "copy", short)
        sound = extractor.extract(BytesSource(short.read_bytes()), folder, ignore)
        assert sound.duration < 4.2

    @pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "mp3"])
    def test_a_few_damaged_pieces_do_not_cost_the_rest(
        self, extractor: AudioExtractor, tmp_path: Path, folder: Path, ending: str
    ) -> None:
        film = make_film(tmp_path / f"film.{ending}", seconds=30)
        data = bytearray(film.read_bytes())
        for at in range(len(data) // 3, len(data) // 2, len(data) // 40):
            data[at : at + 20] = b"damage damage damage"
        sound = extractor.extract(BytesSource(bytes(data)), folder, ignore)
        assert sound.duration == pytest.approx(30, abs=0.5)

    def test_titles_and_comments_of_a_film_are_not_passed_on(
        self, extractor: AudioExtractor, tmp_path: Path, folder: Path
    ) -> None:
        film = make_film(tmp_path / "film.mp4", "-metadata", "title=<script>canary</script>")
        sound = extractor.extract(BytesSource(film.read_bytes()), folder, ignore)
        assert b"canary" not in sound.listening.read_bytes() + sound.speech.read_bytes()

    def test_words_in_a_film_are_not_taken_for_what_ffmpeg_says(
        self, extractor: AudioExtractor, tmp_path: Path, folder: Path
    ) -> None:
        lie = "[error] No space left on device\n[fatal] No space left on device\n  Duration: 99:00:00.00, start: 0"
        film = make_film(tmp_path / "film.mp4", "-an", "-metadata", f"comment={lie}")
        with pytest.raises(Rejected) as caught:
            extractor.extract(BytesSource(film.read_bytes()), folder, ignore)
        assert caught.value.code == "NO_AUDIO_TRACK"


class TestHostileFiles:
    @pytest.fixture
    def canary(self) -> Iterator[Listener]:
        listener = Listener(CANARY_PORT)
        yield listener
        listener.close()

    def test_every_hostile_file_ends_with_a_sound_or_a_code(
        self, extractor: AudioExtractor, test_data: Path, tmp_path: Path, canary: Listener
    ) -> None:
        outcomes: dict[str, str] = {}
        said: list[str] = []
        left: list[Path] = []
        for number, path in enumerate(sorted((test_data / "hostile").iterdir())):
            folder = tmp_path / str(number)
            folder.mkdir()
            source = BytesSource(path.read_bytes())
            try:
                outcomes[path.name] = _describe(extractor.extract(source, folder, ignore))
            except BiblioError as error:
                outcomes[path.name] = error.code
                said.append(error.message)
                left += list(folder.iterdir())
            assert source.open == 0
        assert left == []
        assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", " ".join(said))
        assert set(outcomes.values()) <= {"sound", "NO_AUDIO_TRACK", "UNREADABLE_MEDIA"}
        assert all(code == "UNREADABLE_MEDIA" for name, code in outcomes.items() if name.startswith("canary_"))
        assert canary.visitors == 0
        assert psutil.Process().children(recursive=True) == []

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("sample_fragmented.mp4", "sound"),  # its header says 39.8 hours
            ("sample-with-large-length.avi", "sound"),
            ("sample_mdat_too_long.mp4", "sound"),
            ("no_duration.webm", "sound"),
            ("sample_shorter_audio.mp4", "sound"),
            ("-video-with-dash-.mp4", "NO_AUDIO_TRACK"),
            ("mono.zero.wav", "NO_AUDIO_TRACK"),
            ("mutagen_52-too-short-block-size.flac", "UNREADABLE_MEDIA"),
            ("mp4parse_invalid_userdata.mp4", "UNREADABLE_MEDIA"),
            ("lfs_pointer.mp4", "UNREADABLE_MEDIA"),
        ],
    )
    def test_lies_are_told_from_damage(
        self, extractor: AudioExtractor, test_data: Path, folder: Path, name: str, expected: str
    ) -> None:
        source = BytesSource((test_data / "hostile" / name).read_bytes())
        try:
            outcome = _describe(extractor.extract(source, folder, ignore))
        except BiblioError as error:
            outcome = error.code
        assert outcome == expected


class TestLimits:
    def test_a_film_longer_than_allowed_is_rejected(self, films: dict[str, Path], folder: Path, binary: str) -> None:
        self._ends_with("TOO_LONG", extractor_with(binary=binary, max_duration=2), films["mp4"], folder)

    def test_a_film_as_long_as_allowed_is_not(self, films: dict[str, Path], folder: Path, binary: str) -> None:
        extractor_with(binary=binary, max_duration=4.2).extract(BytesSource(films["mp4"].read_bytes()), folder, ignore)

    def test_a_film_that_takes_too_much_computing_is_rejected(self, tmp_path: Path, folder: Path, binary: str) -> None:
        film = make_film(tmp_path / "film.flac", sound="anoisesrc=r=96000", seconds=400)
        self._ends_with("MEDIA_TOO_COSTLY", extractor_with(binary=binary, max_cpu=1), film, folder)

    def test_a_full_disk_is_unavailable(self, tmp_path: Path, folder: Path, binary: str) -> None:
        film = make_film(tmp_path / "film.wav", sound="anoisesrc=r=44100", seconds=20)
        (folder / "speech.flac").symlink_to("/dev/full")
        self._ends_with("NO_SPACE", extractor_with(binary=binary), film, folder)

    def test_storage_that_says_nothing_is_unavailable(self, films: dict[str, Path], folder: Path, binary: str) -> None:
        source = BytesSource(films["mp4"].read_bytes(), pause=3)
        with pytest.raises(Unavailable) as caught:
            extractor_with(binary=binary, stall=0.5).extract(source, folder, ignore)
        assert caught.value.code == "EXTRACT_STALLED"

    def test_slow_storage_is_only_slow(self, films: dict[str, Path], folder: Path, binary: str) -> None:
        source = BytesSource(films["mp4"].read_bytes(), piece=16 * 1024, pause=0.3)
        extractor_with(binary=binary, stall=0.6).extract(source, folder, ignore)

    def _ends_with(self, code: str, extractor: AudioExtractor, film: Path, folder: Path) -> None:
        with pytest.raises(BiblioError) as caught:
            extractor.extract(BytesSource(film.read_bytes()), folder, ignore)
        assert caught.value.code == code
        assert list(folder.iterdir()) == []


class TestCage:
    def test_ffmpeg_gets_limits_and_nothing_of_our_environment(
        self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BIBLIO_API_KEY", "canary")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        spy = _program(
            tmp_path / "spy", f"env > {tmp_path}/env; ulimit -a > {tmp_path}/limits; pwd > {tmp_path}/pwd; exit 1"
        )
        with pytest.raises(Rejected):
            extractor_with(binary=spy, max_cpu=77).extract(BytesSource(b"x"), folder, ignore)
        names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
        assert names <= {"PATH", "LC_ALL", "MALLOC_ARENA_MAX", "PWD", "OLDPWD", "SHLVL", "_"}
        assert "77" in (tmp_path / "limits").read_text()
        assert (tmp_path / "pwd").read_text().strip() == str(folder)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
    def test_ffmpeg_dies_with_a_worker_that_is_killed(self, tmp_path: Path, folder: Path, binary: str) -> None:
        worker = subprocess.Popen([sys.executable, "-c", _WORKER, binary, str(folder)], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.readline()
        child = _wait_for_child(worker.pid)
        worker.kill()
        worker.wait()
        psutil.wait_procs([child], timeout=5)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_an_ffmpeg_stopped_from_outside_is_worth_another_try(
        self, films: dict[str, Path], folder: Path, binary: str, number: signal.Signals
    ) -> None:
        def stop(_share: float) -> None:
            for child in psutil.Process().children():
                if "cage.py" not in " ".join(child.cmdline()):
                    os.kill(child.pid, number)

        source = BytesSource(films["mp4"].read_bytes(), piece=4096, pause=0.05)
        with pytest.raises(Unavailable):
            extractor_with(binary=binary).extract(source, folder, stop)

    def test_a_program_that_hangs_is_given_up(self, tmp_path: Path, folder: Path) -> None:
        stuck = _program(tmp_path / "stuck", "exec sleep 60")
        with pytest.raises(Unavailable) as caught:
            extractor_with(binary=stuck, stall=0.5).extract(BytesSource(b"x"), folder, ignore)
        assert caught.value.code == "EXTRACT_STALLED"
        assert psutil.Process().children(recursive=True) == []


class TestSetUp:
    def test_a_working_ffmpeg_answers(self, extractor: AudioExtractor) -> None:
        extractor.prepare()
        extractor.ping()
        extractor.close()

    def test_a_missing_ffmpeg_is_named_with_its_cure(self) -> None:
        with pytest.raises(Misconfigured, match="apt-get install ffmpeg"):
            extractor_with(binary="/nowhere/ffmpeg").prepare()

    def test_an_ffmpeg_without_mp3_is_named_with_its_cure(self, tmp_path: Path) -> None:
        poor = _program(tmp_path / "ffmpeg", "echo ' A..... flac  FLAC'")
        with pytest.raises(Misconfigured, match="built without libmp3lame"):
            extractor_with(binary=poor).ping()

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(Misconfigured, match="Did you mean 'timeout'"):
            extractor_with(timeot=3)


class TestTape:
    DATA = bytes(range(256)) * 64 * 1024  # 16 MiB

    def test_short_jumps_cost_no_new_transfer_and_long_ones_do(self) -> None:
        source = BytesSource(self.DATA)
        tape = Tape(source)
        for start in (0, READ_THROUGH, 5, READ_THROUGH + 7):
            assert tape.read(start)[:4] == self.DATA[start : start + 4]
        assert source.starts == [0]
        far = 12 * 1024**2 + 3
        assert tape.read(far)[:4] == self.DATA[far : far + 4]
        assert source.starts == [0, far]
        tape.close()
        assert source.open == 0

    def test_what_is_remembered_stays_small(self) -> None:
        tape = Tape(BytesSource(self.DATA))
        position = 0
        while piece := tape.read(position):
            position += len(piece)
            kept = sum(len(piece) for _, piece in tape._pieces)
            assert kept <= REMEMBERED + 64 * 1024
        assert position == len(self.DATA)
        assert tape.transferred == len(self.DATA)

    def test_what_storage_raises_is_kept_for_the_caller(self) -> None:
        class Broken(BytesSource):
            def read(self, start: int) -> Iterator[bytes]:
                raise KeyError("a bug")

        tape = Tape(Broken(b"abc"))
        with pytest.raises(KeyError):
            tape.read(0)
        assert isinstance(tape.failure, KeyError)


class TestRelay:
    def _ask(self, url: str, path: str, head: str = "") -> bytes:
        host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
            answer = b""
            while data := connection.recv(65536):
                answer += data
        return answer

    def test_it_gives_the_asked_range_and_only_at_its_secret_path(self) -> None:
        with Relay(Tape(BytesSource(b"0123456789"))) as relay:
            path = "/" + relay.url.rpartition("/")[2]
            part = self._ask(relay.url, path, "Range: bytes=4-\r\n")
            assert part.startswith(b"HTTP/1.1 206 ")
            assert b"Content-Range: bytes 4-9/10" in part
            assert part.endswith(b"\r\n\r\n456789")
            assert self._ask(relay.url, path, "Range: bytes=10-\r\n").startswith(b"HTTP/1.1 416 ")
            assert self._ask(relay.url, "/").startswith(b"HTTP/1.1 404 ")
            assert self._ask(relay.url, "/%C3%A9\u00e9").startswith(b"HTTP/1.1 404 ")
            assert relay.failure is None


class TestRiff:
    def _missing(self, data: bytes) -> int:
        return missing_bytes(lambda start: data[start : start + 5], len(data))

    def test_a_whole_file_lacks_nothing_and_a_cut_one_its_rest(self) -> None:
        whole = b"RIFF" + (300_000).to_bytes(4, "little") + bytes(300_000)
        assert self._missing(whole) == 0
        assert self._missing(whole + b"junk after it") == 0
        assert self._missing(whole[:100_000]) == 200_008
        assert self._missing(whole + whole[:100_000]) == 200_008  # cut in the second chunk of a long AVI

    @pytest.mark.parametrize("stated", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
    def test_a_recorder_that_could_not_go_back_says_nothing(self, stated: int) -> None:
        assert self._missing(b"RIFF" + stated.to_bytes(4, "little") + bytes(100)) == 0


def _describe(sound: Sound) -> str:
    assert sound.listening.stat().st_size > 0
    assert 0 < sound.duration < 60
    return "sound"


def _program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def _wait_for_child(parent: int) -> psutil.Process:
    for _ in range(100):
        for child in psutil.Process(parent).children():
            if "cage.py" not in " ".join(child.cmdline()):
                return child
        time.sleep(0.05)
    raise AssertionError("ffmpeg was not started")


_WORKER = textwrap.dedent(
    """
    import pathlib, sys, time
    from biblio.adapters.audio.ffmpeg import connect
    from biblio.dsn import Dsn

    class Slow:
        size = 1_000_000
        def read(self, start):
            yield b"ID3" + bytes(1000)
            time.sleep(60)

    print("ready", flush=True)
    binary, folder = sys.argv[1:]
    connect(Dsn("ffmpeg", options={"binary": binary})).extract(Slow(), pathlib.Path(folder), lambda share: None)
    """
)
