"""What the supervisor runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """One process the supervisor keeps running. `name` has no spaces; 'media-worker' is shown as 'media worker'.

    `env` is added to the environment `biblio up` was started with, or is all of it when `inherit_env` is false.
    `ready` makes a real round trip and raises only what waiting cannot mend; without it a program is ready after
    living for a second.
    `niceness` is added to the priority it is given: 0 is the usual one, 19 the lowest.
    Stopping sends `stop_signal` to the process and, after `stop_seconds`, SIGKILL to its group.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 5
    ready: Callable[[], bool] | None = None
    cwd: Path | None = None
    stop_signal: str = "TERM"
    inherit_env: bool = True
    start_seconds: float = 120
    niceness: int = 0

    @property
    def label(self) -> str:
        return self.name.replace("-", " ")


def nothing() -> None:
    """For an engine or a program with nothing to do then."""


@dataclass(frozen=True)
class Engine:
    """An embedded engine: `prepare` runs before its program starts, `finish` once it is ready, `clean` after it
    ended; all run every time.

    `addresses` maps setting names to addresses, passwords included: {"BIBLIO_QUEUE": "redis://:secret@127.0.0.1:1/0"};
    a secret that others need to understand the engine stands there too.
    """

    program: Program
    addresses: Mapping[str, str]
    prepare: Callable[[], None] = nothing
    finish: Callable[[], None] = nothing
    clean: Callable[[], None] = nothing


def engine_env(home: Path) -> dict[str, str]:
    """All an engine gets to see: the user's WEED_*, PG* and AWS_* variables would change how it runs."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}
