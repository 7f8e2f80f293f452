from pathlib import Path

import pytest

from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.settings import Settings, read_settings


def test_nothing_set_means_the_embedded_engines() -> None:
    settings = read_settings({"PATH": "/bin", "OTHER": "x"})
    assert settings == Settings()
    assert (settings.database, settings.storage, settings.queue, settings.limiter) == (None, None, None, None)
    assert [settings.speech, settings.embedder, settings.vectors] == [
        (Dsn("whisper", "base"),),
        Dsn("use"),
        Dsn("pgvector"),
    ]


def test_settings_are_read_from_the_environment() -> None:
    settings = read_settings(
        {
            "BIBLIO_QUEUE": "redis://h:6379/0",
            "BIBLIO_MAX_FILE_SIZE": "1000",
            "BIBLIO_ENV": "production",
            "BIBLIO_DATA": "/srv/biblio",
            "BIBLIO_URL": "",
        }
    )
    assert settings.queue == Dsn("redis", "h", 6379, "0")
    assert (settings.max_file_size, settings.env, settings.data) == (1000, "production", Path("/srv/biblio"))
    assert settings.url is None


@pytest.mark.parametrize(
    ("value", "engines"),
    [
        ("whisper://small", [Dsn("whisper", "small")]),
        (
            " google://p/eu?model=chirp_2#language=ko&max_minutes=240\n  whisper://base ",
            [
                Dsn(
                    "google",
                    "p",
                    path="eu",
                    options={"model": "chirp_2"},
                    rules={"language": "ko", "max_minutes": "240"},
                ),
                Dsn("whisper", "base"),
            ],
        ),
        (
            "whisper://own?folder=/my models#model=fast whisper://base",
            [Dsn("whisper", "own", options={"folder": "/my models"}, rules={"model": "fast"}), Dsn("whisper", "base")],
        ),
    ],
)
def test_speech_may_be_several_engines_in_order(value: str, engines: list[Dsn]) -> None:
    assert read_settings({"BIBLIO_SPEECH": value}).speech == tuple(engines)


def test_the_environment_goes_before_the_running_engines() -> None:
    running = {"BIBLIO_QUEUE": "redis://local/0", "BIBLIO_LIMITER": "redis://local/1", "SOMETHING": "else"}
    settings = read_settings({"BIBLIO_QUEUE": "redis://far/0"}, running)
    assert settings.queue == Dsn("redis", "far", path="0")
    assert settings.limiter == Dsn("redis", "local", path="1")


def test_the_mark_of_local_engines_is_no_setting() -> None:
    assert read_settings({"BIBLIO_FOLDER": "/x"}) == Settings()


@pytest.mark.parametrize(
    ("name", "hint"), [("BIBLIO_DATABSE", " Did you mean BIBLIO_DATABASE?"), ("BIBLIO_ZZZZZZZZZZZZZ", "")]
)
def test_a_misspelt_setting_is_refused(name: str, hint: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_settings({name: "hidden"})
    assert str(caught.value) == f"There is no setting {name}.{hint}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIBLIO_DATABASE", "hidden"),
        ("BIBLIO_QUEUE", "redis://u:hidden@h:port"),
        ("BIBLIO_QUEUE", "redis://u:sec#hidden@h/0"),
        ("BIBLIO_EMBEDDER", "use://#language=hidden"),
        ("BIBLIO_SPEECH", "whisper://base openai://h?api_key=se#hidden"),
        ("BIBLIO_MAX_FILE_SIZE", "hidden"),
        ("BIBLIO_MAX_FILE_SIZE", "-1"),
        ("BIBLIO_UPLOAD_SECONDS", "604801"),
        ("BIBLIO_ENV", "hidden"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_repeated(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_settings({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "hidden" not in str(caught.value)


def test_secrets_do_not_show() -> None:
    settings = read_settings({"BIBLIO_API_KEY": "hidden1", "BIBLIO_DATABASE": "postgresql+psycopg://u:hidden2@h/d"})
    assert "hidden" not in f"{settings} {settings!r}"
    assert settings.api_key == "hidden1"
