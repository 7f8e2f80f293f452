"""The way in: `main([NAME=VALUE…, "--", PROGRAM, ARGUMENT…])`, see `biblio.adapters.audio.sandbox.caged`."""

import os
import resource
import signal
import sys

from biblio.adapters.audio.cage import handover, kernel, landlock, namespaces, seccomp

PR_SET_PDEATHSIG = 1
GRACE = 30  # CPU seconds between the polite signal and the deadly one
CANNOT_RUN = 127  # what a shell says, and what the dynamic loader says when a library is missing

# The parts that a system may lack; each does its work for a program that needs nothing, to see whether it can.
PARTS = {
    "network": namespaces.enter,
    "files": lambda: landlock.confine([], [], port=None),
    "calls": seccomp.refuse,
}


def main(arguments: list[str]) -> None:
    if arguments == ["try"]:
        return try_parts()
    split = arguments.index("--")
    orders: dict[str, list[str]] = {}
    for order in arguments[:split]:
        name, _, value = order.partition("=")
        orders.setdefault(name, []).append(value)
    try:
        port = confine(orders)
    except OSError as error:
        sys.exit(f"cage: {error}")
    run([part.replace("{port}", str(port)) for part in arguments[split + 1 :]])
    return None


def confine(orders: dict[str, list[str]]) -> int | None:
    """The port on which the parent now listens for the program, where that was ordered."""
    parts = orders.get("part", [])
    if "network" in parts:
        namespaces.enter()
    die_with(int(orders["parent"][0]))  # after the namespaces: a change of user makes the kernel forget it
    for name, values in orders.items():
        if name.isupper():
            limit(name, int(values[0]))
    listener = handover.listen() if "listen" in orders else None
    port = listener.getsockname()[1] if listener else None
    if "files" in parts:
        landlock.confine(orders.get("read", []), orders.get("write", []), port=port)
    if "calls" in parts:
        seccomp.refuse()
    if listener:
        handover.give(listener)
    return port


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
        kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask to be told
        sys.exit(1)


def run(program: list[str]) -> None:
    try:
        os.execv(program[0], program)
    except OSError as error:
        print(f"cage: {program[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(CANNOT_RUN)


def try_parts() -> None:
    """Prints a line `PART reason` for each that this system lacks; each is tried in a child, for none can be undone."""
    for name, part in PARTS.items():
        if child := os.fork():
            os.waitpid(child, 0)
            continue
        try:
            part()
        except OSError as error:
            os.write(1, f"{name} {error.strerror}\n".encode())
        os._exit(0)
