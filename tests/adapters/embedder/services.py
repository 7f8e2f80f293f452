"""What is asked of every embedder that is a service, whoever serves."""

from contextlib import AbstractContextManager

from biblio.domain.rate_limit import RateLimit
from biblio.ports.call import Unpaced

ENGLISH = "Photosynthesis turns sunlight into sugar inside the leaves of a plant."
KOREAN = "식물은 햇빛으로 양분을 만듭니다."


class Turns(Unpaced):
    """Notes which turns were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[RateLimit, float]] = []

    def admit(self, limit: RateLimit, units: float) -> AbstractContextManager[None]:
        self.asked.append((limit, units))
        return super().admit(limit, units)
