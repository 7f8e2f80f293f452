"""Turns into one program: `python -I -S launch.py SPEC`, where SPEC is a private JSON file.

    {"argv": [...], "env": {...}, "inherit_env": true, "cwd": "/...", "parent_signal": "TERM", "niceness": 0}

supervisord starts everything through this: secrets then stand in a file only we can read instead of in its
configuration, and no path has to survive INI quoting. On Linux the program also gets `parent_signal` when its parent
dies. It runs alone, before anything is imported, so it imports nothing but the standard library.
"""

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent(signal_name: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.Signals[f"SIG{signal_name}"]), 0, 0, 0)


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    os.umask(0o077)
    os.chdir(spec["cwd"])
    os.nice(spec["niceness"])
    _die_with_parent(spec["parent_signal"])
    argv = spec["argv"]
    if not spec["inherit_env"]:
        os.execve(argv[0], argv, spec["env"])
    for name, value in spec["env"].items():
        os.putenv(name, value)
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1])
