"""Free ports on 127.0.0.1, remembered so that addresses and bookmarks outlive a restart."""

import json
import random
import socket

from biblio.errors import Conflict, Unavailable
from biblio.local.folder import DataFolder, write_private

# Below the range the system hands to outgoing connections (Linux from 32768, macOS from 49152).
CHOICE = range(20_000, 32_000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it, connections that a stopped server left in TIME_WAIT make its port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class LoopbackPorts:
    """Ports by name, kept in `run/ports.json`. Until `release`, no other biblio that starts meanwhile takes them."""

    def __init__(self, folder: DataFolder) -> None:
        self._path = folder.run / "ports.json"
        self._ports: dict[str, int] = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._held: list[socket.socket] = []

    def take(self, name: str) -> int:
        """The port of that name at the last start if it is still free, else a new one."""
        port = self._ports.get(name)
        if port is None or not self._hold(port):
            port = self._ports[name] = self._new()
            write_private(self._path, json.dumps(self._ports, indent=1))
        return port

    def release(self) -> None:
        """To be called when whoever was to listen does."""
        while self._held:
            self._held.pop().close()

    def _new(self) -> int:
        for port in random.sample(CHOICE, ATTEMPTS):
            if port not in self._ports.values() and self._hold(port):
                return port
        raise Unavailable("No free port was found on 127.0.0.1.")

    def _hold(self, port: int) -> bool:
        """Its UDP namesake, which nothing of ours uses, stands for it: a TCP port itself can't be held for another."""
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            return False
        if not is_free(port):
            held.close()
            return False
        self._held.append(held)
        return True


def wanted_port(port: int) -> int:
    """`port` itself; raises `Conflict` (PORT_TAKEN) when another program listens there."""
    if not is_free(port):
        raise Conflict(f"Port {port} of 127.0.0.1 is taken by another program; choose another.", code="PORT_TAKEN")
    return port
