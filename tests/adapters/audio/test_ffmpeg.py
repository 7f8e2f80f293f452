"""FFmpeg as a program: the contract with every binary at hand, odd and hostile files, and its limits."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from biblio.adapters.audio.command import ffmpeg_command
from biblio.adapters.audio.process import Process
from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.report import Report
from biblio.adapters.audio.sandbox import caged
from biblio.adapters.audio.tape import Tape
from biblio.adapters.audio.verdict import explain_failure
from biblio.errors import BiblioError, Misconfigured, Rejected, Unavailable
from biblio.ports.audio import AudioExtractor, Sound
from tests.adapters.audio.building import extractor_with, program
from tests.contracts.audio import AudioContract, Listener, ignore, samples_of
from tests.contracts.audio_pictures import PictureContract
from tests.contracts.films import BytesSource, ffmpeg, make_film

CANARY_PORT = 18_999


class TestFfmpeg(AudioContract):
    """Both the system's and the bundled program keep the contract."""


class TestFfmpegPictures(PictureContract):
    """As above."""


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
        command = caged(ffmpeg_command(binary, "http://127.0.0.1:{port}/", seconds=9, threads=1), {}, listen=True)
        open_cage = [word for word in command if word != "part=files"]  # a closed one would keep it from a device
        report, tape = Report(), Tape(BytesSource(film.read_bytes()))
        with Process(open_cage, folder) as process, Relay(tape, process.listener(), "/"):
            error = explain_failure(report, process.follow(report, lambda: None))
        assert isinstance(error, Unavailable)
        assert error.code == "NO_SPACE"

    def test_a_folder_that_cannot_be_written_into_is_not_the_films_fault(
        self, films: dict[str, Path], folder: Path, binary: str
    ) -> None:
        (folder / "speech.flac").symlink_to("/dev/full")
        self._ends_with("ENGINE_UNAVAILABLE", extractor_with(binary=binary), films["wav"], folder)

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


class TestSetUp:
    def test_a_working_ffmpeg_answers(self, extractor: AudioExtractor) -> None:
        extractor.prepare()
        extractor.ping()
        extractor.close()

    def test_a_missing_ffmpeg_is_named_with_its_cure(self) -> None:
        with pytest.raises(Misconfigured, match="apt-get install ffmpeg"):
            extractor_with(binary="/nowhere/ffmpeg").prepare()

    def test_an_ffmpeg_without_mp3_is_named_with_its_cure(self, tmp_path: Path) -> None:
        poor = program(tmp_path, "echo ' A..... flac  FLAC'")
        with pytest.raises(Misconfigured, match="built without libmp3lame"):
            extractor_with(binary=poor).ping()

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(Misconfigured, match="Did you mean 'timeout'"):
            extractor_with(timeot=3)


def _describe(sound: Sound) -> str:
    assert sound.listening.stat().st_size > 0
    assert 0 < sound.duration < 60
    return "sound"
