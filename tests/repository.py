"""What lies in this repository, for the tests that keep its rules."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SRC, TESTS, DOCS = ROOT / "src" / "biblio", ROOT / "tests", ROOT / "docs"


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
