"""Ports meet adapters by address, and wrong settings are told before anything starts."""

import pytest

from biblio import bootstrap
from biblio.bootstrap import build
from biblio.dsn import Dsn
from biblio.errors import Misconfigured
from biblio.settings import read_settings

ADDRESSES = {
    "BIBLIO_DATABASE": "postgresql+psycopg://biblio:hidden-word@127.0.0.1:1/biblio",
    "BIBLIO_STORAGE": "s3://ACCESS:hidden-word@biblio-video-store?endpoint=http://127.0.0.1:1",
    "BIBLIO_QUEUE": "redis://:hidden-word@127.0.0.1:1/0",
    "BIBLIO_LIMITER": "redis://:hidden-word@127.0.0.1:1/1",
}


def test_nothing_is_opened_while_building() -> None:
    services = build(read_settings({}, defaults=ADDRESSES))
    assert services.storage.bucket == "biblio-video-store"


def test_made_up_speech_is_refused_in_production() -> None:
    settings = read_settings({**ADDRESSES, "BIBLIO_SPEECH": "scripted://", "BIBLIO_ENV": "production"})
    with pytest.raises(Misconfigured, match="production"):
        build(settings)


def test_google_speech_uses_the_bucket_of_gs_storage_unless_it_has_its_own() -> None:
    storage = Dsn.parse("gs://talks?credentials=/etc/key.json&endpoint=http://127.0.0.1:1&origins=https://a.example")
    bare, own = Dsn.parse("google://p/us"), Dsn.parse("google://p/us?staging=gs://other&credentials=/etc/other.json")
    assert bootstrap._with_bucket(bare, storage).options == {
        "staging": "gs://talks",
        "staging_endpoint": "http://127.0.0.1:1",
        "credentials": "/etc/key.json",
    }
    assert bootstrap._with_bucket(own, storage) == own
    for other in (None, Dsn.parse("s3://talks")):
        assert bootstrap._with_bucket(bare, other) == bare
    assert bootstrap._with_bucket(Dsn.parse("whisper://base"), storage).options == {}


@pytest.mark.parametrize("missing", ADDRESSES)
def test_a_missing_address_is_named(missing: str) -> None:
    given = {name: address for name, address in ADDRESSES.items() if name != missing}
    with pytest.raises(Misconfigured, match=missing):
        build(read_settings(given))


@pytest.mark.parametrize(
    "address",
    [
        {"BIBLIO_SPEECH": "wisper://base"},
        {"BIBLIO_SPEECH": "whisper://base?colour=red"},
        {"BIBLIO_STORAGE": "s3://ACCESS:hidden-word@biblio-video-store?endpont=http://127.0.0.1:1"},
        {"BIBLIO_DATABASE": "postgresql+psycopg://biblio:hidden-word@127.0.0.1/biblio?pool=9"},
        {"BIBLIO_EMBEDDER": "use://?threads=many"},
    ],
)
def test_a_misspelt_address_is_told_without_its_secrets(address: dict[str, str]) -> None:
    with pytest.raises(Misconfigured) as refused:
        build(read_settings({**ADDRESSES, **address}))
    assert "hidden-word" not in str(refused.value)
