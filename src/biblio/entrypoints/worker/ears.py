"""Whether the broker still knows that this worker listens. It may have forgotten, when a queue was deleted and made
anew at a bad moment, and says nothing of it: messages wait, and nobody gets them."""

import logging
from collections.abc import Callable

from biblio.entrypoints.worker.consumer import LastingConsumer

MOST_MISSED = 4
"""Looks at a queue, one after the other, at which messages waited and a worker that was free got none."""

log = logging.getLogger(__name__)


class Ears:
    """`consumer`: None until it has begun. `waiting`: how many messages wait in the worker's queue."""

    def __init__(self, consumer: Callable[[], LastingConsumer | None], waiting: Callable[[], int]) -> None:
        self._consumer, self._waiting = consumer, waiting
        self._missed = 0

    def check(self) -> None:
        """To be called every few seconds, from any thread. Raises what `waiting` raises."""
        consumer = self._consumer()
        if consumer is None or not consumer.is_free or not self._waiting():
            self._missed = 0
            return
        self._missed += 1
        if self._missed >= MOST_MISSED:
            self._missed = 0
            log.warning("messages wait and none is delivered: the worker listens anew")
            consumer.listen_anew()
