"""What hatch does before it makes a wheel: the page is part of it, and no built file is in git."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INDEX = "src/biblio/entrypoints/api/page/index.html"


class PageHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatch's)
        """Raises where the page is not there and can't be built. An editable install has it built by make."""
        if version == "editable":
            return
        root = Path(self.root)
        if (root / "web" / "package.json").is_file() and not (root / "PKG-INFO").is_file():
            subprocess.run([root / "tools" / "build_page"], check=True)
        if not (root / INDEX).is_file():
            raise FileNotFoundError(f"There is no {INDEX}: build the page first, by tools/build_page.")
