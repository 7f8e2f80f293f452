"""Runs a program that may not take more than it is given, and that dies with its parent.

Run as a script, never imported: `python -I -S cage.py PARENT NAME=LIMIT… -- PROGRAM ARGUMENT…`, with names of
`resource.RLIMIT_*`. Limits are set here, between fork and exec, because doing that in the worker itself (`preexec_fn`)
may deadlock next to its threads.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
GRACE = 30  # CPU seconds between the polite signal and the deadly one


def limit(name: str, value: int) -> None:
    """A limit this system does not know or does not let us set is left out: macOS has fewer than Linux."""
    which = getattr(resource, f"RLIMIT_{name}", None)
    if which is None:
        return
    ceiling = resource.getrlimit(which)[1]
    wanted = value + GRACE if name == "CPU" else value
    hard = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
    try:
        resource.setrlimit(which, (min(value, hard), hard))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask to be told
        sys.exit(1)


if __name__ == "__main__":
    split = sys.argv.index("--")
    die_with(int(sys.argv[1]))
    for assignment in sys.argv[2:split]:
        key, _, number = assignment.partition("=")
        limit(key, int(number))
    program = sys.argv[split + 1 :]
    os.execv(program[0], program)
