"""What keeps ffmpeg away from everything else, as far as this system lets us: the worker's side of the cage."""

import logging
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from biblio.errors import Misconfigured

# What the worker can do without, and what is open then.
OPEN = {
    "network": "ffmpeg is not cut off from the network",
    "files": "ffmpeg can read what its user can",
    "calls": "ffmpeg's system calls are not filtered",
}
CURE = "docs/operations.md, 'Hostile media', says how to allow it."

# Programs, their libraries and what those want to know: nothing that belongs to anybody.
NEEDED = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store",
    "/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path", "/dev/null", "/dev/urandom",
)  # fmt: skip

MOST_THREADS = 64  # ffmpeg takes a dozen; the kernel does not count those of root
LOADER = "import sys; sys.path.append(sys.argv.pop(1)); from biblio.adapters.audio.cage.door import main"
DOOR = (sys.executable, "-I", "-S", "-c", f"{LOADER}; main(sys.argv[1:])", str(Path(__file__).parents[3]))

# No secrets, no proxies, no language: nothing of the worker's environment.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}

log = logging.getLogger(__name__)


def caged(command: list[str], limits: dict[str, int], *, listen: bool) -> list[str]:
    """`command` under limits named as in `resource.RLIMIT_*`, tied to the life of this process.

    It may write into the folder it runs in, and read itself and its libraries. `listen`: the socket on which to
    answer it comes through its standard input, and its port takes the place of `{port}` in the command.
    """
    parts = [part for part in OPEN if part not in lacking()]
    if "network" in parts and _counts_processes_apart():
        limits = {**limits, "NPROC": MOST_THREADS}
    folder = Path(command[0]).resolve().parent
    orders = [f"parent={os.getpid()}", "write=.", *(f"{name}={value}" for name, value in limits.items())]
    orders += [f"part={part}" for part in parts]
    orders += [f"read={path}" for path in (command[0], str(folder.parent / "lib"), *NEEDED)]
    return [*DOOR, *orders, *(["listen=yes"] if listen else []), "--", *command]


@cache
def lacking() -> dict[str, str]:
    """Which parts this system does not let us use, and why. Asked once, and said loudly once."""
    answer = subprocess.run(
        [*DOOR, "try"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env=ENVIRONMENT
    )
    found = dict(line.split(" ", 1) for line in answer.stdout.splitlines())
    if answer.returncode:
        found = dict.fromkeys(OPEN, answer.stderr.strip() or f"its preparation ended with {answer.returncode}")
    for sentence in _sentences(found):
        log.warning(sentence)
    return found


def shortcomings() -> list[str]:
    """Sentences about what this system lacks; none where the cage is closed on all sides."""
    return _sentences(lacking())


def demand_all() -> None:
    """Raises `Misconfigured` with code SANDBOX_MISSING unless the cage is closed on all sides."""
    if sentences := shortcomings():
        raise Misconfigured(f"{' '.join(sentences)} ffmpeg://?sandbox=required forbids that.", code="SANDBOX_MISSING")


def _counts_processes_apart() -> bool:
    """From Linux 5.14 on those of a namespace; before, all of the user's, of whom a desktop has more than any limit."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int(minor)) >= (5, 14)


def _sentences(found: dict[str, str]) -> list[str]:
    return [f"{OPEN[part]} ({reason}). {CURE}" for part, reason in found.items()]
