"""The sound is read in bounded stretches, and nothing of it is lost."""

from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from biblio.adapters.speech.sound import RATE, end_of, stretches
from biblio.local.sample import TALK
from tests.adapters.speech.sounds import ffmpeg
from tests.contracts.speech import Spoken


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mp3") / "audio_extracted.mp3"
    ffmpeg("-i", TALK, "-vn", "-acodec", "libmp3lame", "-q:a", "2", path)
    return path


def test_an_ordinary_sound_is_one_stretch_and_what_faster_whisper_decodes(english: Spoken, mp3: Path) -> None:
    for audio in (english.audio, mp3):
        [(start, samples)] = stretches(audio)
        assert start == 0
        assert np.array_equal(samples, decode_audio(str(audio)))


def test_stretches_follow_each_other_without_loss(mp3: Path) -> None:
    [(_, whole)] = stretches(mp3)
    pieces = list(stretches(mp3, longest=20))
    assert len(pieces) > len(whole) / RATE / 20
    assert all(len(samples) <= 20 * RATE for _, samples in pieces)
    assert np.array_equal(np.concatenate([samples for _, samples in pieces]), whole)
    ends = np.cumsum([len(samples) for _, samples in pieces]) / RATE
    assert [start for start, _ in pieces] == [0, *ends[:-1]]
    assert [end_of(start, samples) for start, samples in pieces] == list(ends)


def test_stretches_after_a_cut_are_those_of_the_whole(english: Spoken, mp3: Path) -> None:
    for audio in (english.audio, mp3):
        pieces = list(stretches(audio, longest=7))
        for place, (since, _) in enumerate(pieces):
            again = list(stretches(audio, longest=7, since=since))
            assert [start for start, _ in again] == [start for start, _ in pieces[place:]]
            assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(again, pieces[place:], strict=True))


def test_after_the_end_there_is_nothing(english: Spoken) -> None:
    assert list(stretches(english.audio, since=english.duration)) == []


def test_a_long_sound_is_cut_where_it_is_quiet(mp3: Path) -> None:
    [(_, whole)] = stretches(mp3)
    for start, _ in list(stretches(mp3, longest=20))[1:]:
        cut = int(start * RATE)
        around = np.abs(whole[cut - RATE // 20 : cut + RATE // 20]).mean()
        assert around < np.abs(whole).mean() / 4
