"""The call of one engine of a route."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from biblio.domain.rate_limit import RateLimit
from biblio.errors import BiblioError, RateLimited
from biblio.ports.call import CallContext


class OwnCall:
    """What the engine notes is its own, and what the caller raises is known to be no fault of the engine's."""

    def __init__(self, call: CallContext, name: str) -> None:
        self._call, self._name = call, name
        self._raised: list[BiblioError] = []

    def has_raised(self, error: BiblioError) -> bool:
        return any(error is one for one in self._raised)

    @contextmanager
    def admit(self, limit: RateLimit, units: float) -> Iterator[None]:
        made: list[BaseException] = []
        with self._remembered(but=made), self._call.admit(limit, units):
            try:
                yield
            except BaseException as error:
                made.append(error)
                raise

    def recall(self, name: str) -> str | None:
        with self._remembered():
            return self._call.recall(f"{self._name}: {name}")

    def note(self, name: str, value: str) -> None:
        with self._remembered():
            self._call.note(f"{self._name}: {name}", value)

    @contextmanager
    def _remembered(self, but: Sequence[BaseException] = ()) -> Iterator[None]:
        try:
            yield
        except RateLimited:
            raise  # that a turn is far off is a reason to ask another engine
        except BiblioError as error:
            if not any(error is one for one in but):
                self._raised.append(error)
            raise
