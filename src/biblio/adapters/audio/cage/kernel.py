"""Calls of the kernel that Python 3.11 has no name for."""

import ctypes
import errno
import os
import sys

PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: int | bytes) -> int:
    """Numbers above 423 mean the same on every architecture. Raises `OSError`."""
    return call("syscall", number, *arguments)


def prctl(option: int, *arguments: int | bytes) -> None:
    rest = (*arguments, 0, 0, 0, 0)[:4]
    call("prctl", option, *rest)


def give_up_privileges() -> None:
    """From here on no program that is run gains rights. The kernel wants it before both filters."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def call(name: str, *arguments: int | bytes) -> int:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "only Linux has it")
    # As long as a register each: variadic functions take whatever they find there.
    words = (ctypes.c_long(each) if isinstance(each, int) else ctypes.c_char_p(each) for each in arguments)
    result: int = _libc[name](*words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
