"""The house rules that a machine can check. CONTRIBUTING.md explains them; import rules are import-linter's."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from biblio import errors
from biblio.adapters.registry import ADAPTERS
from biblio.dsn import Options
from biblio.entrypoints.api.problems import STATUS
from biblio.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
SRC, TESTS, DOCS = ROOT / "src" / "biblio", ROOT / "tests", ROOT / "docs"
PORTS = sorted(path for path in (SRC / "ports").glob("*.py") if path.stem not in ("__init__", "engine"))
DECISION = re.compile(r"(\d{4})-[a-z0-9-]+\.md")
PURE = ("domain", "ports", "pipeline")

MOST_LINES, MOST_FUNCTION_LINES, MOST_METHODS, MOST_MOCKS_PER_100 = 300, 40, 6, 3


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources() -> list[Path]:
    return sorted(path for folder in ("src", "tests", "migrations", "bench") for path in (ROOT / folder).rglob("*.py"))


def product() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def named(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


@cache
def repository_files() -> tuple[Path, ...]:
    """What is, or would be, in the repository; every file outside of hidden folders where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [str(path) for path in found if not any(part[0] == "." and part != ".ci" for part in path.parts)]
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def classes(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef))


def bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def methods(node: ast.ClassDef) -> set[str]:
    return {item.name for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}


def imported(path: Path) -> Iterator[str]:
    """Top-level packages that a file imports, inside functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


class TestSizes:
    def test_no_source_file_is_longer_than_300_lines(self) -> None:
        scripts = [path for path in repository_files() if path.read_bytes()[:2] == b"#!"]
        lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in {*sources(), *scripts}}
        assert {named(path): length for path, length in lengths.items() if length > MOST_LINES} == {}

    def test_no_function_is_longer_than_40_lines(self) -> None:
        long = {
            f"{named(path, node.lineno)} {node.name}": length
            for path in sources()
            for node in functions(path)
            if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
        }
        assert long == {}

    def test_no_port_has_more_than_6_methods_of_its_own(self) -> None:
        wide = {
            f"{named(path)} {node.name}": len(methods(node))
            for path in (SRC / "ports").glob("*.py")
            for node in classes(path)
            if "Protocol" in bases(node) and len(methods(node)) > MOST_METHODS
        }
        assert wide == {}


class TestOnePlace:
    def test_only_settings_reads_the_environment(self) -> None:
        readers = {
            named(path, node.lineno)
            for path in product()
            if path != SRC / "settings.py"
            for node in ast.walk(tree(path))
            if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv") and _is_os(node))
            or (isinstance(node, ast.ImportFrom) and node.module == "os" and _reads_environment(node))
        }
        assert readers == set()

    def test_every_exception_is_caught_by_the_last_handler_of_worker_and_api_only(self) -> None:
        allowed = {SRC / "entrypoints" / "worker" / "worker.py", SRC / "entrypoints" / "api" / "problems.py"}
        broad = {
            named(path, node.lineno)
            for path in product()
            if path not in allowed
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ExceptHandler) and _catches_all(node) and not _raises_again(node)
        }
        assert broad == set()

    def test_domain_ports_and_pipeline_import_the_standard_library_and_biblio_only(self) -> None:
        own = {*sys.stdlib_module_names, "biblio"}
        pure = [path for folder in PURE for path in (SRC / folder).glob("*.py")]
        assert {(named(path), name) for path in pure for name in imported(path) if name not in own} == set()

    def test_every_adapter_of_the_registry_is_kept_from_the_others_by_import_linter(self) -> None:
        contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        kept = next(set(one["modules"]) for one in contracts if one["name"] == "An adapter never imports an adapter")
        assert {module for port in ADAPTERS.values() for module, _ in port.values()} == kept

    def test_every_error_has_its_http_status(self) -> None:
        assert {kind.__name__ for kind in _below(errors.BiblioError) - set(STATUS)} == set()


def _is_os(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "os"


def _reads_environment(node: ast.ImportFrom) -> bool:
    return any(alias.name in ("environ", "environb", "getenv") for alias in node.names)


def _catches_all(node: ast.ExceptHandler) -> bool:
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id.endswith("Exception")) for kind in kinds)


def _raises_again(node: ast.ExceptHandler) -> bool:
    """A note taken in passing (`except BaseException: …; raise`) swallows nothing."""
    last = node.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None and not _is_exception(node)


def _is_exception(node: ast.ExceptHandler) -> bool:
    return isinstance(node.type, ast.Name) and node.type.id == "Exception"


def _below(kind: type[errors.BiblioError]) -> set[type[errors.BiblioError]]:
    ours = (each for each in vars(errors).values() if isinstance(each, type))
    return {each for each in ours if issubclass(each, kind)}


class TestContracts:
    @pytest.mark.parametrize("path", PORTS, ids=lambda path: path.stem)
    def test_every_promise_of_a_port_is_a_test_of_its_contract(self, path: Path) -> None:
        suites = _suites(path.stem)
        assert suites, f"no contract suite tests/contracts/{path.stem}.py"
        tests = {name for suite in suites for node in classes(suite) for name in methods(node)}
        text = "".join(suite.read_text(encoding="utf-8") for suite in suites)
        assert [promise for promise in _promises(path) if not _is_kept(promise, tests, text)] == []

    def test_every_port_of_the_registry_promises_something(self) -> None:
        assert [port for port in ADAPTERS if not _promises(SRC / "ports" / f"{port}.py")] == []

    def test_every_adapter_passes_the_contract_of_its_port(self) -> None:
        lacking = {
            test
            for port, schemes in ADAPTERS.items()
            for module, _ in schemes.values()
            if not _inherits_contract(TESTS / (test := f"adapters/{port}/test_{module.rpartition('.')[2]}.py"), port)
        }
        assert lacking == set()

    def test_no_adapter_overrides_a_test_of_a_contract(self) -> None:
        suites = [node for path in (TESTS / "contracts").glob("*.py") for node in classes(path)]
        promised = {name for node in suites for name in methods(node) if name.startswith("test_")}
        heirs = [(path, node) for path in (TESTS / "adapters").rglob("test_*.py") for node in classes(path)]
        overridden = {
            f"{named(path)} {name}"
            for path, node in heirs
            if any(base.endswith("Contract") for base in bases(node))
            for name in methods(node) & promised
        }
        assert overridden == set()


def _suites(port: str) -> list[Path]:
    """The contract's file; the views of a catalog's transaction may share the catalog's."""
    views = {item for node in classes(SRC / "ports" / "catalog.py") for item in _annotated(node)}
    names = [port, "catalog", f"catalog_{port}"] if port in views else [port]
    return [suite for name in names if (suite := TESTS / "contracts" / f"{name}.py").is_file()]


def _annotated(node: ast.ClassDef) -> list[str]:
    return [
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]


def _promises(path: Path) -> list[str]:
    documented = [ast.get_docstring(node) or "" for node in classes(path) if "Protocol" in bases(node)]
    return [line[2:].strip() for text in documented for line in text.splitlines() if line.startswith("- ")]


def _is_kept(promise: str, tests: set[str], text: str) -> bool:
    """Tests that begin with the promise's first three words say, together, all of it up to a colon.

    A CODE may stand inside the tests instead of in their names.
    """
    sentence = promise.partition(":")[0]
    codes = re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", sentence)
    wanted = words(re.sub(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", " ", sentence))
    near = [words(name) for name in tests if words(name)[1:4] == wanted[:3]]
    said = {"and", *(word for name in near for word in name)}
    return bool(near) and set(wanted) <= said and all(code in text for code in codes)


def _inherits_contract(path: Path, port: str) -> bool:
    if not path.is_file():
        return False
    wanted = {node.name for suite in _suites(port) for node in classes(suite) if node.name.endswith("Contract")}
    return any(node.name.startswith("Test") and bases(node) & wanted for node in classes(path))


class TestTests:
    def test_there_are_fewer_than_3_mocks_in_100_tests(self) -> None:
        files = [path for path in TESTS.rglob("*.py") if path != Path(__file__)]
        tests = sum(node.name.startswith("test_") for path in files for node in functions(path))
        mocks = sum(len(re.findall(r"\b(?:\w*Mock|mock|patch)\(", path.read_text())) for path in files)
        assert mocks * 100 <= MOST_MOCKS_PER_100 * tests

    def test_nothing_is_skipped_but_what_needs_the_test_data(self) -> None:
        marks = re.compile(r"\b(?:pytest\.skip|skipif|mark\.skip|importorskip|xfail|skipTest)\b")
        allowed = {TESTS / "conftest.py", Path(__file__)}
        files = [path for path in TESTS.rglob("*.py") if path not in allowed]
        assert {named(path) for path in files if marks.search(path.read_text(encoding="utf-8"))} == set()
        assert len(marks.findall((TESTS / "conftest.py").read_text(encoding="utf-8"))) <= 1


class TestDocuments:
    @pytest.mark.parametrize("name", sorted(Settings.model_fields))
    def test_every_setting_stands_in_its_page(self, name: str) -> None:
        assert f"`{PREFIX}{name.upper()}`" in (DOCS / "settings.md").read_text(encoding="utf-8")

    def test_every_address_and_option_of_an_adapter_stands_in_the_settings_page(self) -> None:
        page = (DOCS / "settings.md").read_text(encoding="utf-8")
        for module in {module for port in ADAPTERS.values() for module, _ in port.values()}:
            import_module(module)
        options = {name for model in _all_below(Options) for name in model.model_fields}
        schemes = {f"{scheme}://" for port in ADAPTERS.values() for scheme in port}
        assert {f"`{name}`" for name in options if f"`{name}`" not in page} == set()
        assert {scheme for scheme in schemes if scheme not in page} == set()

    @pytest.mark.parametrize(
        "page", ["README.md", "README.ko.md", "CONTRIBUTING.md", *sorted(map(str, DOCS.rglob("*.md")))]
    )
    def test_every_file_a_page_names_exists(self, page: str) -> None:
        text = (ROOT / page).read_text(encoding="utf-8")
        files = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.py)`", text))
        links = {link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link}
        assert {name for name in files if not any((base / name).exists() for base in (ROOT, SRC))} == set()
        assert {link for link in links if not (ROOT / page).parent.joinpath(link).exists()} == set()

    def test_both_readmes_have_the_same_headings(self) -> None:
        levels = [
            [line.partition(" ")[0] for line in _prose(ROOT / name) if line.startswith("#")]
            for name in ("README.md", "README.ko.md")
        ]
        assert levels[0] == levels[1]

    def test_decisions_are_numbered_without_holes_and_say_what_was_refused(self) -> None:
        names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
        numbers = [int(match[1]) for name in names if (match := DECISION.fullmatch(name))]
        assert numbers == list(range(1, len(names) + 1))
        for name in names:
            text = (DOCS / "decisions" / name).read_text(encoding="utf-8")
            assert re.findall(r"^## (.+)$", text, re.M) == ["Context", "Decision", "Consequences", "Refused"], name

    def test_no_registry_is_named_in_the_repository(self) -> None:
        hosts = [
            ".".join(parts).encode() for parts in (("files", "pythonhosted"), ("registry", "npmjs"), ("pypi", "org"))
        ]
        assert {named(path) for path in repository_files() if any(host in path.read_bytes() for host in hosts)} == set()


def _prose(path: Path) -> list[str]:
    """Its lines without code blocks, where `#` begins a comment."""
    return re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S).splitlines()


def _all_below(kind: type[Any]) -> set[type[Any]]:
    return {each for child in kind.__subclasses__() for each in (child, *_all_below(child))}
