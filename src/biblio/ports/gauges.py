"""How much there is to do, at this moment, all over the system."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Gauges:
    """Numbers by name of the queue, `videos` by status. `oldest`: seconds that the oldest ready job has waited.

    `running` are held by a living lease, `expired` by one that ended. `is_led`: some worker sweeps.
    """

    ready: dict[str, float]
    oldest: dict[str, float]
    delayed: dict[str, float]
    running: dict[str, float]
    expired: dict[str, float]
    workers: dict[str, float]
    videos: dict[str, float]
    is_led: bool


class Gauging(Protocol):
    """- every queue and every status has its number, 0 too
    - what is due waits, and what is not is delayed
    - who leads is seen from everywhere
    """

    def read(self, *, seconds: float) -> Gauges:
        """Workers seen within the last `seconds` live. Counted anew, which takes time where there are very many videos:
        keep the answer for a while."""

    def is_led(self, name: str) -> bool:
        """Whether any process leads under this name (see `Catalog.leadership`)."""
