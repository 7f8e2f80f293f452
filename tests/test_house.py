"""The house rules that a machine can check. CONTRIBUTING.md explains them; import rules are import-linter's."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from biblio import errors
from biblio.adapters.registry import ADAPTERS
from biblio.entrypoints.api.problems import STATUS
from tests.repository import ROOT, SRC, TESTS, named, repository_files

PORTS = sorted(path for path in (SRC / "ports").glob("*.py") if path.stem not in ("__init__", "engine"))
PURE = ("domain", "ports", "pipeline")
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "base", "misc"}
CODE = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b")

MOST_LINES, MOST_FUNCTION_LINES, MOST_METHODS, MOST_MOCKS_PER_100 = 300, 40, 6, 3


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources() -> list[Path]:
    return sorted(path for folder in ("src", "tests", "migrations", "bench") for path in (ROOT / folder).rglob("*.py"))


def product() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def classes(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef))


def bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def methods(node: ast.ClassDef) -> set[str]:
    return {item.name for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}


def doors(node: ast.ClassDef) -> set[str]:
    """Properties: what stands behind one is a port of its own."""
    functions = [item for item in node.body if isinstance(item, ast.FunctionDef)]
    return {item.name for item in functions if any(ast.unparse(one) == "property" for one in item.decorator_list)}


def imported(path: Path) -> Iterator[str]:
    """Top-level packages that a file imports, inside functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))


class TestSizes:
    def test_no_source_file_is_longer_than_300_lines(self) -> None:
        scripts = [path for path in repository_files() if path.read_bytes()[:2] == b"#!"]
        lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in {*sources(), *scripts}}
        assert {named(path): length for path, length in lengths.items() if length > MOST_LINES} == {}

    def test_no_function_is_longer_than_40_lines(self) -> None:
        long = {
            f"{named(path, node.lineno)} {node.name}": length
            for path in sources()
            if "migrations" not in path.parts  # a list of columns, written once and never edited
            for node in functions(path)
            if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
        }
        assert long == {}

    def test_no_port_has_more_than_6_methods_of_its_own(self) -> None:
        wide = {
            f"{named(path)} {node.name}": len(methods(node) - doors(node))
            for path in (SRC / "ports").glob("*.py")
            for node in classes(path)
            if "Protocol" in bases(node) and len(methods(node) - doors(node)) > MOST_METHODS
        }
        assert wide == {}


class TestNames:
    def test_nothing_is_called_by_what_it_is_not(self) -> None:
        """What has no name of its own has no place."""
        stems = {path: words(path.stem.replace("_", " ")) for path in sources()}
        folders = {path: [*words(path.parent.name), *stem] for path, stem in stems.items()}
        assert {named(path) for path, found in folders.items() if NO_NAMES & set(found)} == set()


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
            if isinstance(node, ast.ExceptHandler) and _catches_all(node)
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
    """A note taken in passing (`except BaseException: …; raise`) swallows nothing, and is none."""
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    caught = {kind.id if isinstance(kind, ast.Name) else kind for kind in kinds}
    last = node.body[-1]
    swallows = not (isinstance(last, ast.Raise) and last.exc is None)
    return bool(caught & {"Exception", None}) or ("BaseException" in caught and swallows)


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
    """The contract's file, and its parts; what a catalog's transaction shows is part of the catalog's."""
    transaction = next(node for node in classes(SRC / "ports" / "catalog.py") if node.name == "Transaction")
    name = "catalog" if port in methods(transaction) else port
    return sorted(path for path in (TESTS / "contracts").glob("*.py") if path.stem.partition("_")[0] == name)


def _promises(path: Path) -> list[str]:
    documented = [ast.get_docstring(node) or "" for node in classes(path) if "Protocol" in bases(node)]
    return [line[2:].strip() for text in documented for line in text.splitlines() if line.startswith("- ")]


def _is_kept(promise: str, tests: set[str], text: str) -> bool:
    """One test says all of it up to a colon, or those that begin with its first three words do so together.

    A CODE may stand inside the tests instead of in their names.
    """
    sentence = promise.partition(":")[0]
    codes = CODE.findall(sentence)
    wanted = words(CODE.sub(" ", sentence))
    said = [set(words(name)) for name in tests]
    together = {"and", *(word for name in tests if words(name)[1:4] == wanted[:3] for word in words(name))}
    return any(set(wanted) <= one for one in (*said, together)) and all(code in text for code in codes)


def _inherits_contract(path: Path, port: str) -> bool:
    """All parts of it, one by one or through a class that joins them."""
    joined = {node.name: bases(node) for suite in _suites(port) for node in classes(suite)}
    inherited = {base for node in classes(path) for base in bases(node)} if path.is_file() else set()
    for _ in joined:
        inherited |= {base for name in inherited for base in joined.get(name, ())}
    parts = {name for name in joined if name.endswith("Contract")}
    return bool(parts) and parts <= inherited


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
