"""An upload that is open on the server: sent, completed, and mended where the server still misses something."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from biblio.client.backoff import USUAL, Retries
from biblio.client.delivery import Sending, Way
from biblio.client.lanes import Lanes
from biblio.client.meter import Meter
from biblio.client.models import Accepted
from biblio.client.slots import LONG, Slots
from biblio.client.source import Source
from biblio.client.waiting import patiently
from biblio.errors import BiblioError, Conflict

if TYPE_CHECKING:
    from biblio.client.client import Client

ROUNDS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before another round when the server still misses something."""

NOT_ALL_THERE = frozenset(
    {"PARTS_MISSING", "PARTS_CHANGED", "OBJECT_MISSING", "UPLOAD_UNKNOWN", "CHECKSUM_MISSING", "CHECKSUM_UNEXPECTED"}
)
"""What another round heals: parts storage lost, an upload it forgot, another device that began it another way."""


@dataclass(frozen=True)
class Manner:
    """How to send, and who hears of it. `parallel`: how many parts go at a time at most; more than one only while the
    upload will take `parallel_from` seconds or longer."""

    on_progress: Callable[[int], None] | None = None
    on_open: Callable[[str, int], None] | None = None
    parallel: int = 4
    retries: Retries = USUAL
    parallel_from: float = LONG


class OpenUpload:
    """The upload of the video `video_id`, which the server waits for."""

    def __init__(self, client: "Client", video_id: str, way: Way, source: Source, manner: Manner) -> None:
        self._client, self._video_id, self._way, self._source, self._manner = client, video_id, way, source, manner
        self._told: int | None = None
        self._is_open = False
        self._refused: list[int] = []

    def run(self) -> Accepted:
        """Raises what no further round heals."""
        for pause in ROUNDS:
            try:
                return self._round()
            except BiblioError as error:
                if error.code not in NOT_ALL_THERE:
                    raise
                self._refused = error.details.get("numbers", []) if error.code == "PARTS_MISSING" else []
            time.sleep(pause)
        return self._round()

    def _round(self) -> Accepted:
        try:
            self._send(sorted({*self._way.missing(), *self._refused}))
        except Conflict as error:
            # An event of the storage or the sweep was faster; the server gives the same answer to whoever asks.
            if error.code != "ALREADY_UPLOADED":
                raise
        self._source.check()
        return self._complete()

    def _send(self, missing: list[int]) -> None:
        size = self._source.size
        meter = Meter(size - sum(self._way.span(number).length for number in missing), size)
        if not self._is_open and self._manner.on_open:
            self._manner.on_open(self._video_id, meter.sent)
        self._is_open = True
        stop = Event()
        slots = Slots(self._manner.parallel, lambda: meter.seconds_left() >= self._manner.parallel_from, stop)
        sending = Sending(self._way, self._source, meter, self._manner.retries, slots, stop)
        Lanes(sending, missing, self._manner.parallel).run(lambda: self._tell(meter.sent))

    def _tell(self, sent: int) -> None:
        if self._manner.on_progress and sent != self._told:
            self._told = sent
            self._manner.on_progress(sent)

    def _complete(self) -> Accepted:
        key = str(uuid.uuid4())
        return patiently(lambda: self._client.complete_upload(self._video_id, idempotency_key=key))
