"""One span of bytes on its way to storage, tried until it is there."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from biblio.client.backoff import Retries
from biblio.client.meter import Meter
from biblio.client.models import SignedPut
from biblio.client.put import Connection, Interrupted
from biblio.client.slots import Slots
from biblio.client.source import Source, Span, Stopped
from biblio.errors import Conflict, Rejected

MOST_REFUSALS = 3
"""Times in a row that storage may refuse a span in a way that another address may heal: the first address may have
waited too long, the next ones are fresh."""

HEALED_BY_ANOTHER_ADDRESS = frozenset({"UPLOAD_URL_EXPIRED", "WRONG_DIGEST"})


class Way(Protocol):
    """How a file goes to storage: whole, or in parts."""

    def missing(self) -> list[int]:
        """The numbers of the spans that storage lacks, as the server knows."""

    def span(self, number: int) -> Span: ...

    def permit(self, number: int) -> SignedPut:
        """An address for the span; each call gives another one. Raises `Conflict` (ALREADY_UPLOADED, UPLOAD_ENDED)."""

    def check_digest(self, number: int) -> None:
        """Raises `Conflict` (FILE_CHANGED) when the span's bytes are not those the permit was given for."""


@dataclass(frozen=True)
class Sending:
    """What all deliveries of an upload share. They raise `Stopped` soon after `stop` is set."""

    way: Way
    source: Source
    meter: Meter
    retries: Retries
    slots: Slots
    stop: threading.Event


class Delivery:
    """Span `number` of an upload."""

    def __init__(self, sending: Sending, number: int) -> None:
        self._all, self._span = sending, sending.way.span(number)
        self._sent = self._furthest = self._failures = self._refusals = 0
        self._arrived = sending.meter.arrived

    def run(self, connection: Connection) -> None:
        """Ends when the span is in storage. Raises what no further try heals, of `Connection.put` and `Way`."""
        while not self._try(connection):
            pass
        self._all.meter.stored(self._span.number, self._span.length)

    def _try(self, connection: Connection) -> bool:
        """Whether the span is there; if not, it may be tried again now."""
        self._sent = 0
        try:
            with self._all.slots.one():
                permit = self._all.way.permit(self._span.number)
                if self._all.stop.is_set():
                    raise Stopped
                connection.put(permit, self._pieces(), self._span.length)
        except Interrupted as error:
            self._all.meter.lost(self._span.number)
            self._pause(error)
        except Rejected as error:
            self._all.meter.lost(self._span.number)
            self._judge(error)
        except Conflict as error:
            if error.code != "OBJECT_EXISTS":
                raise
            return True
        else:
            return True
        return False

    def _pieces(self) -> Iterator[bytes]:
        for piece in self._all.source.pieces(self._span.start, self._span.length):
            if self._all.stop.is_set():
                raise Stopped
            yield piece
            self._sent += len(piece)
            self._all.meter.moving(self._span.number, self._sent)

    def _judge(self, error: Rejected) -> None:
        """Returns when another try may help."""
        self._refusals += 1
        if error.code not in HEALED_BY_ANOTHER_ADDRESS or self._refusals >= MOST_REFUSALS:
            raise error
        if error.code == "WRONG_DIGEST":
            self._all.way.check_digest(self._span.number)

    def _pause(self, error: Interrupted) -> None:
        self._refusals = 0
        self._failures = 1 if self._has_progressed() else self._failures + 1
        seconds = self._all.retries.pause(self._failures, error.details.get("retry_after"))
        if seconds is None:
            raise error
        if self._all.stop.wait(seconds):
            raise Stopped

    def _has_progressed(self) -> bool:
        """The line works where other spans have arrived meanwhile, or this one has come further than ever."""
        arrived, self._arrived = self._arrived, self._all.meter.arrived
        furthest, self._furthest = self._furthest, max(self._furthest, self._sent)
        return self._arrived > arrived or self._sent > furthest
