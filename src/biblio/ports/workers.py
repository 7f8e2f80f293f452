"""Which workers live."""

from typing import Protocol

from biblio.domain.flow import Queue


class Workers(Protocol):
    """- a worker seen lately lives
    - a worker not seen for long does not
    """

    def seen(self, name: str, queue: Queue) -> None: ...

    def living(self, *, seconds: float) -> set[Queue]:
        """Queues with a worker seen within the last `seconds`."""
