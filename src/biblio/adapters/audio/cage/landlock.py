"""Landlock: the only files a program can open from here on, and the only TCP port it can call.

The kernel's own page is https://docs.kernel.org/userspace-api/landlock.html. Each version of its interface knows more
rights; what a kernel does not know is left to the other parts of the cage.
"""

import os
import stat
import struct

from biblio.adapters.audio.cage import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION = 1
BENEATH_PATH, AT_PORT = 1, 2

EXECUTE, WRITE_FILE, READ_FILE, LIST, MAKE_FILE, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 8, 1 << 14
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2
KNOWN_RIGHTS = (13, 14, 15, 15, 16)  # how many rights on files versions 1, 2, … know; the newest are at the end


def confine(read: list[str], write: list[str], *, port: int | None) -> None:
    """`read`: files and folders to read and run; `write`: folders to write files into. Raises `OSError`."""
    version = kernel.syscall(CREATE_RULESET, 0, 0, ASK_VERSION)
    files = (1 << KNOWN_RIGHTS[min(version, len(KNOWN_RIGHTS)) - 1]) - 1
    ports = BIND_TCP | CONNECT_TCP if version >= 4 else 0
    others = ABSTRACT_SOCKETS | SIGNALS if version >= 6 else 0
    attributes = struct.pack("QQQ", files, ports, others)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = kernel.syscall(CREATE_RULESET, attributes, len(attributes), 0)
    for path in read:
        _allow(rules, path, files & (EXECUTE | READ_FILE | LIST))
    for path in write:
        _allow(rules, path, files & (READ_FILE | WRITE_FILE | MAKE_FILE | TRUNCATE))
    if ports and port is not None:
        kernel.syscall(ADD_RULE, rules, AT_PORT, struct.pack("QQ", CONNECT_TCP, port), 0)
    kernel.give_up_privileges()
    kernel.syscall(RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # not every system keeps its libraries in all the usual places
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= ~(LIST | MAKE_FILE)
    kernel.syscall(ADD_RULE, rules, BENEATH_PATH, struct.pack("=Qi", rights, place), 0)
    os.close(place)
