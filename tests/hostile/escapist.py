"""Runs inside the cage and tries to get out; one line `NAME result` for each try. What succeeds says `free`.

`escapist.py FOREIGN_FILE HOST_PORT UNIX_SOCKET`. It stands for an ffmpeg that a film has taken over.
"""

import ctypes
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

FOREIGN, PORT, UNIX = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PARENT = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)


def kernel(name: str, *arguments: object) -> None:
    if libc[name](*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def call(place: tuple[str, int]) -> None:
    socket.create_connection(place, timeout=2).close()


def udp() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT))


def unix() -> None:
    socket.socket(socket.AF_UNIX).connect(UNIX)


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def memory(kind: int, size: int) -> None:
    held = mmap.mmap(-1, size, flags=kind | mmap.MAP_ANONYMOUS)
    held[:: 1024**2] = b"x" * len(held[:: 1024**2])


def follow() -> None:
    os.symlink(FOREIGN, "link")
    Path("link").read_bytes()


def big_file() -> None:
    with Path("big").open("wb") as file:
        file.truncate(1024**3)
        file.seek(1024**3)
        file.write(b"x")


def raise_limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


TRIES: dict[str, Callable[[], object]] = {
    "read-passwords": Path("/etc/passwd").read_bytes,
    "read-foreign-file": FOREIGN.read_bytes,
    "read-own-environment-of-parent": Path(f"/proc/{PARENT}/environ").read_bytes,
    "read-memory-of-parent": lambda: os.open(f"/proc/{PARENT}/mem", os.O_RDONLY),
    "list-root": lambda: os.listdir("/"),
    "list-neighbours": lambda: os.listdir(FOREIGN.parent),
    "overwrite-foreign-file": lambda: FOREIGN.write_bytes(b""),
    "cut-foreign-file": lambda: os.truncate(FOREIGN, 0),
    "remove-foreign-file": FOREIGN.unlink,
    "move-foreign-file": lambda: FOREIGN.rename("moved"),
    "link-foreign-file": lambda: os.link(FOREIGN, "hard"),
    "open-foreign-file-to-all": lambda: FOREIGN.chmod(0o777),
    "date-foreign-file": lambda: os.utime(FOREIGN),
    "follow-own-symbolic-link": follow,
    "write-beside-own-folder": lambda: Path("../mine").write_bytes(b""),
    "write-temporary-file": lambda: Path("/tmp/biblio-escaped").write_bytes(b""),
    "make-device": lambda: os.mknod("disk", 0o60600, os.makedev(8, 0)),
    "call-host": lambda: call(("127.0.0.1", PORT)),
    "call-world": lambda: call(("192.0.2.1", 80)),
    "call-by-udp": udp,
    "call-unix-socket": unix,
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "raw-socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "fork": fork,
    "run-program": lambda: subprocess.run(["/bin/sh", "-c", "exit"], check=True),
    "become-program": lambda: os.execv("/bin/sh", ["sh", "-c", "echo become-program free"]),
    "kill-parent": lambda: os.kill(PARENT, 0),
    "kill-all": lambda: os.kill(-1, signal.SIGCONT),
    "trace-parent": lambda: kernel("ptrace", 16, PARENT, 0, 0),
    "new-namespace": lambda: kernel("unshare", 0x10000000),
    "mount": lambda: kernel("mount", b"none", b".", b"tmpfs", 0, None),
    "io-uring": lambda: kernel("syscall", 425, 8, bytes(120)),
    "bpf": lambda: kernel("syscall", 321, 0, bytes(120), 120),
    "slow-the-parent-down": lambda: os.setpriority(os.PRIO_PROCESS, PARENT, 19),
    "limit-the-parent": lambda: resource.prlimit(PARENT, resource.RLIMIT_CPU, (1, 1)),
    "become-root": lambda: os.setuid(0),
    "raise-limit": raise_limit,
    "take-memory": lambda: memory(mmap.MAP_PRIVATE, 2 * 1024**3),
    "take-shared-memory": lambda: memory(mmap.MAP_SHARED, 3 * 1024**3),
    "big-file": big_file,
    "open-device": lambda: os.open("/dev/full", os.O_WRONLY),
}
HARMLESS: dict[str, Callable[[], object]] = {
    "write-own-file": lambda: Path("mine").write_bytes(b"x"),
    "read-own-file": lambda: Path("mine").read_bytes(),
    "thread": lambda: threading.Thread(target=int).start(),
}

if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for name, attempt in {**HARMLESS, **TRIES}.items():
        try:
            attempt()
        except (OSError, MemoryError, ValueError, subprocess.SubprocessError) as error:
            print(name, type(error).__name__, flush=True)
        else:
            print(name, "free", flush=True)
