"""Where measurements go."""

from collections.abc import Callable
from typing import Protocol

from biblio.domain.measures import Measure
from biblio.ports.gauges import Gauges


class Meter(Protocol):
    """- what is observed is counted, by its labels
    - observing never waits and never fails
    """

    def observe(self, measure: Measure, value: float = 1.0, **labels: str) -> None:
        """Add to a counter, set a gauge, or put into a histogram. `labels` are those of the measure, all of them."""


class Exposition(Meter, Protocol):
    """A meter that can be read. `content_type`: of its text."""

    content_type: str

    def show(self, gauges: Callable[[], Gauges | None]) -> None:
        """Ask for the catalog's numbers too, whenever somebody reads; None: it does not answer."""

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""


class Silent:
    """Where nobody asks for measurements."""

    def observe(self, measure: Measure, value: float = 1.0, **labels: str) -> None: ...
