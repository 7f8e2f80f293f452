from importlib import import_module, util
from pathlib import Path

import pytest

from biblio.adapters import registry
from biblio.adapters.registry import ADAPTERS, connect
from biblio.dsn import Dsn
from biblio.errors import Misconfigured

EVERY_MODULE = sorted({module for known in ADAPTERS.values() for module, _ in known.values()})


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_every_adapter_has_one_door(module: str) -> None:
    assert callable(import_module(module).connect)


def test_a_scheme_picks_the_adapter() -> None:
    queue = connect("queue", Dsn.parse("redis://127.0.0.1:1/0"))
    limiter = connect("limiter", Dsn.parse("redis://127.0.0.1:1/0"))
    assert [type(engine).__module__.split(".")[2] for engine in (queue, limiter)] == ["queue", "limiter"]


def test_an_unknown_scheme_lists_the_known_ones() -> None:
    with pytest.raises(Misconfigured) as caught:
        connect("speech", Dsn.parse("zzz://u:hidden@h"))
    assert str(caught.value).startswith("No speech is known as 'zzz://'. Known: ")
    assert str(caught.value).endswith(", ".join(sorted(ADAPTERS["speech"])) + ".")
    assert "hidden" not in str(caught.value)


def test_a_misspelt_scheme_is_guessed() -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'pgvector://'"):
        connect("vectors", Dsn.parse("pgvecto://"))


def test_a_missing_extra_names_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module, package = "needs_what_is_not_there", "no_such_package_anywhere"
    assert util.find_spec(package) is None
    (tmp_path / f"{module}.py").write_text(f"import {package}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(registry.ADAPTERS["vectors"], "faraway", (module, "faraway"))
    with pytest.raises(Misconfigured) as caught:
        connect("vectors", Dsn.parse("faraway://"))
    assert str(caught.value) == f"faraway:// needs the package '{package}': pip install 'biblio[faraway]'."
    assert caught.value.code == "MISSING_EXTRA"


def test_a_hole_in_the_core_install_is_no_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.ADAPTERS["vectors"], "faraway", ("biblio.adapters.no_such_module", "faraway"))
    with pytest.raises(ModuleNotFoundError):
        connect("vectors", Dsn.parse("faraway://"))
