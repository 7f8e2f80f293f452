"""Measurements from a worker's children to their parent, over a pair of sockets made before the fork.

One datagram an observation: the system takes it whole or not at all, and nobody holds a lock, so that a child may be
killed at any moment. A child never waits: what finds no room is dropped, and counted.
"""

import json
import logging
import socket
from typing import Any

from biblio.domain.measures import DROPPED, MEASURES, Measure
from biblio.ports.meter import Meter

LONGEST = 4096  # bytes
ROOM = 1024 * 1024
"""Bytes under way at most (Linux grants less where its limit is lower): some thousand observations."""

log = logging.getLogger(__name__)

_BY_NAME = {measure.name: measure for measure in MEASURES}


class DatagramMeter:
    """In a child. See `biblio.ports.meter.Meter`."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._dropped = 0

    def observe(self, measure: Measure, value: float = 1.0, **labels: str) -> None:
        dropped, self._dropped = self._dropped, 0
        try:
            self._end.send(json.dumps([measure.name, value, labels, dropped]).encode(), socket.MSG_DONTWAIT)
        except OSError:  # no room, or nobody there any more
            self._dropped += dropped + 1


class Collector:
    """In the parent: hands on to `meter` what its children observe."""

    def __init__(self, end: socket.socket, meter: Meter) -> None:
        self._end, self._meter = end, meter

    def collect(self, *, seconds: float = 1.0) -> None:
        """One observation, if one comes within so many seconds."""
        self._end.settimeout(seconds)
        try:
            message = self._end.recv(LONGEST)
        except TimeoutError:
            return
        try:
            self._take(*json.loads(message))
        except (ValueError, TypeError, KeyError, RecursionError):
            # A child reads strangers' files; what it says is not believed blindly.
            log.warning("an observation of a child makes no sense")

    def _take(self, name: str, value: float, labels: dict[str, Any], dropped: int) -> None:
        measure = _BY_NAME[name]
        self._meter.observe(measure, float(value), **{label: str(labels[label]) for label in measure.labels})
        if dropped > 0:
            self._meter.observe(DROPPED, dropped)


def pair() -> tuple[socket.socket, socket.socket]:
    """The children's end and the parent's."""
    theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
    return theirs, ours
