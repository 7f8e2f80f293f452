"""The pages say what the code does: settings, files, decisions; and both READMEs say the same."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from biblio.adapters.registry import ADAPTERS
from biblio.dsn import Options
from biblio.settings import PREFIX, Settings
from tests.repository import DOCS, ROOT, SRC, named, repository_files

PAGES = sorted(named(path) for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md")))
DECISION = re.compile(r"(\d{4})-[a-z0-9-]+\.md")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_stands_in_its_page(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in (DOCS / "settings.md").read_text(encoding="utf-8")


def test_every_address_and_option_of_an_adapter_stands_in_the_settings_page() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for module in {module for port in ADAPTERS.values() for module, _ in port.values()}:
        import_module(module)
    options = {name for model in _all_below(Options) for name in model.model_fields}
    schemes = {f"{scheme}://" for port in ADAPTERS.values() for scheme in port}
    assert {f"`{name}`" for name in options if f"`{name}`" not in page} == set()
    assert {scheme for scheme in schemes if scheme not in page} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    files = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.py)`", text))
    links = {link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link}
    assert {name for name in files if not any((base / name).exists() for base in (ROOT, SRC))} == set()
    assert {link for link in links if not (ROOT / page).parent.joinpath(link).exists()} == set()


def test_both_readmes_have_the_same_headings() -> None:
    levels = [
        [line.partition(" ")[0] for line in _prose(ROOT / name) if line.startswith("#")]
        for name in ("README.md", "README.ko.md")
    ]
    assert levels[0] == levels[1]


def test_decisions_are_numbered_without_holes_and_say_what_was_refused() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
    numbers = [int(match[1]) for name in names if (match := DECISION.fullmatch(name))]
    assert numbers == list(range(1, len(names) + 1))
    for name in names:
        text = (DOCS / "decisions" / name).read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.M) == ["Context", "Decision", "Consequences", "Refused"], name


def test_no_registry_is_named_in_the_repository() -> None:
    hosts = [".".join(parts).encode() for parts in (("files", "pythonhosted"), ("registry", "npmjs"), ("pypi", "org"))]
    assert {named(path) for path in repository_files() if any(host in path.read_bytes() for host in hosts)} == set()


def _prose(path: Path) -> list[str]:
    """Its lines without code blocks, where `#` begins a comment."""
    return re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S).splitlines()


def _all_below(kind: type[Any]) -> set[type[Any]]:
    return {each for child in kind.__subclasses__() for each in (child, *_all_below(child))}
