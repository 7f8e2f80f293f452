import pytest

from biblio.dsn import Dsn, Options, require_sendable
from biblio.errors import Misconfigured


class Things(Options):
    timeout: float = 5.0
    pool_size: int = 5


def test_an_address_is_read_part_by_part() -> None:
    dsn = Dsn.parse("s3+x://us%40er:p%3Aa%2Fss@My.Host:8333/a/b%20c?endpoint=http://h:1/p&empty=")
    assert dsn == Dsn("s3+x", "My.Host", 8333, "a/b c", "us@er", "p:a/ss", {"endpoint": "http://h:1/p", "empty": ""})


@pytest.mark.parametrize(
    ("text", "dsn"),
    [
        ("use://", Dsn("use")),
        ("s3://Bucket-Name", Dsn("s3", "Bucket-Name")),
        ("redis://:secret@h", Dsn("redis", "h", password="secret")),
        ("whisper://base?device=cpu", Dsn("whisper", "base", options={"device": "cpu"})),
        ("redis://h:6379/0", Dsn("redis", "h", 6379, "0")),
        ("redis://h:/0", Dsn("redis", "h", None, "0")),
    ],
)
def test_parts_may_be_left_out(text: str, dsn: Dsn) -> None:
    assert Dsn.parse(text) == dsn


@pytest.mark.parametrize(
    "text",
    [
        "redis://:p%40%2F%3A%25@h:6379/0",
        "postgresql+psycopg://김:비밀@h/데이터",
        "s3://b?endpoint=http://h:1&region=a%26b",
        "redis://h:0",
        "use://",
        "whisper://base?device=cpu#language=ko,en&max_minutes=1.5",
        "use://#model=a%23b",
    ],
)
def test_an_address_written_out_is_read_as_the_same(text: str) -> None:
    dsn = Dsn.parse(text, may_have_rules=True)
    assert Dsn.parse(dsn.text(), may_have_rules=True) == dsn


@pytest.mark.parametrize(
    "text", ["", "localhost", "localhost:6379", "/path", "redis:host", "://host", "redis://h:port"]
)
def test_what_is_no_address_is_misconfigured(text: str) -> None:
    with pytest.raises(Misconfigured):
        Dsn.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "redis://u:hidden@h:99999",
        "redis://u:hidden@h:port",
        "u:hidden@h",
        "s3://[hidden",
        "a://b?hidden=1&hidden=2",
        "a://u:sec#hidden@h/p",
        "a://u:sec#hidden=@h/p?x=y",
        "a://b?key=sec#hidden",
        "a://b?key=sec##hidden=1",
        "a://b#hidden=1&hidden=2",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated_in_the_error(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Dsn.parse(text, may_have_rules=True)
    assert "hidden" not in str(caught.value)


def test_secrets_show_nowhere_but_in_text() -> None:
    dsn = Dsn.parse("openai://me:hidden1@h/v1?api_key=hidden2&Token=hidden3&client_secret=hidden4&model=m")
    shown = f"{dsn} {dsn!r} {[dsn]}"
    assert "hidden" not in shown
    assert "me:***@h/v1?api_key=***" in shown
    assert "model=m" in shown
    assert all(f"hidden{number}" in dsn.text() for number in range(1, 5))


def test_options_are_read_as_the_adapters_own() -> None:
    assert Dsn.parse("a://b?timeout=2.5").read_options(Things) == Things(timeout=2.5)
    assert Dsn.parse("a://b").read_options(Things) == Things()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("time_out=1", "no option 'time_out'. Did you mean 'timeout'? Known options: pool_size, timeout."),
        ("zzz=1", "no option 'zzz'. Known options: pool_size, timeout."),
        ("timeout=soon", "Option 'timeout' of the a:// address"),
    ],
)
def test_an_option_that_is_wrong_is_named(query: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Dsn.parse(f"a://b?{query}").read_options(Things)
    assert said in str(caught.value)


def test_an_options_value_is_not_repeated_in_the_error() -> None:
    with pytest.raises(Misconfigured) as caught:
        Dsn.parse("a://b?timeout=hidden").read_options(Things)
    assert "hidden" not in str(caught.value)


def test_rules_stand_behind_the_options() -> None:
    dsn = Dsn.parse("whisper://base?threads=2#language=ko,en&max_minutes=90", may_have_rules=True)
    assert (dsn.options, dsn.rules) == ({"threads": "2"}, {"language": "ko,en", "max_minutes": "90"})
    assert Dsn.parse("a://b#timeout=1", may_have_rules=True).read_rules(Things) == Things(timeout=1)


@pytest.mark.parametrize("text", ["redis://h/0#", "redis://h/0#language=ko", "redis://h/0?password=se#cret"])
def test_an_address_that_stands_alone_has_no_rules(text: str) -> None:
    with pytest.raises(Misconfigured, match="%23"):
        Dsn.parse(text)


def test_a_rule_that_is_wrong_may_be_the_rest_of_a_secret() -> None:
    with pytest.raises(Misconfigured) as caught:
        Dsn.parse("a://b?key=sec#ret=x", may_have_rules=True).read_rules(Things)
    assert str(caught.value) == "The a:// address has no rule of that name. Known rules: pool_size, timeout."


@pytest.mark.parametrize("key", ["hidden\n", "hid den", "hidd\u00e9n"])
def test_a_key_that_no_header_takes_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(Misconfigured, match="none that can be sent") as refused:
        require_sendable(key, "openai")
    assert "hid" not in str(refused.value)
    require_sendable("sk-Key_1+/=", "openai")
    require_sendable(None, "qdrant")
