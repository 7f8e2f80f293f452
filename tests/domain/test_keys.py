import pytest

from biblio.domain import keys

VIDEO = "550e8400-e29b-41d4-a716-446655440000"


def test_original_and_sound_lie_where_the_specification_says() -> None:
    assert keys.original(VIDEO, "mp4") == f"videos/{VIDEO}/original.mp4"
    assert keys.audio(VIDEO) == f"videos/{VIDEO}/audio_extracted.mp3"


def test_everything_of_a_video_lies_below_its_prefix_and_nothing_shares_a_name() -> None:
    everything = [
        keys.original(VIDEO, "mp4"),
        keys.audio(VIDEO),
        keys.speech_audio(VIDEO),
        *(keys.artefact(VIDEO, generation, attempt, "a.json") for generation in (1, 2, 11) for attempt in (1, 2, 11)),
    ]
    assert all(key.startswith(keys.video_prefix(VIDEO)) for key in everything)
    assert len(set(everything)) == len(everything)


def test_no_videos_prefix_is_the_beginning_of_anothers() -> None:
    assert not keys.video_prefix("10").startswith(keys.video_prefix("1"))


def test_an_original_names_its_video() -> None:
    assert keys.video_id_of(keys.original(VIDEO, "mp4")) == VIDEO


@pytest.mark.parametrize(
    "key",
    [
        "",
        VIDEO,
        keys.video_prefix(VIDEO),
        keys.audio(VIDEO),
        keys.speech_audio(VIDEO),
        keys.artefact(VIDEO, 1, 1, "original.mp4"),
        f"/{keys.original(VIDEO, 'mp4')}",
        f"a/{keys.original(VIDEO, 'mp4')}",
        f"{keys.original(VIDEO, 'mp4')}\n",
        f"{keys.original(VIDEO, 'mp4')}/x",
        keys.original(VIDEO, ""),
        keys.original(VIDEO, "MP4"),
        keys.original(VIDEO, "\ud800"),
        keys.original(VIDEO.upper(), "mp4"),
        keys.original(f"../{VIDEO}", "mp4"),
        keys.original("1", "mp4"),
        "videos/" + "9" * 1_000_000,
    ],
)
def test_nothing_else_does(key: str) -> None:
    assert keys.video_id_of(key) is None


@pytest.mark.parametrize(
    "key",
    [
        keys.original(VIDEO, "mp4"),
        keys.audio(VIDEO),
        keys.artefact(VIDEO, 3, 1, "a.json"),
        keys.video_prefix(VIDEO),
        keys.video_prefix(VIDEO) + "what somebody else put there",
    ],
)
def test_everything_in_its_folder_is_the_videos(key: str) -> None:
    assert keys.owner_of(key) == VIDEO


@pytest.mark.parametrize("key", ["", VIDEO, f"videos/{VIDEO}", f"videos/{VIDEO.upper()}/a", f"a/videos/{VIDEO}/a"])
def test_what_lies_elsewhere_is_no_videos(key: str) -> None:
    assert keys.owner_of(key) is None


@pytest.mark.parametrize("generation", [1, 2, 11])
def test_an_artefact_names_its_generation(generation: int) -> None:
    key = keys.artefact(VIDEO, generation, 7, "pieces/1.json")
    assert key.startswith(keys.artefacts(VIDEO))
    assert keys.generation_of(key) == generation
