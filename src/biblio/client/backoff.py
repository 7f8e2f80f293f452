"""How long to wait before trying again, and when to stop."""

import random
from dataclasses import dataclass

LONGEST_WISH = 60.0
"""Seconds that a storage may ask for; one that asks for more is tried sooner."""


@dataclass(frozen=True)
class Retries:
    """Pauses in seconds: `first`, then doubling up to `longest`. `tries` is how many may fail in a row without any
    progress between them: 8 of them last about a minute."""

    first: float = 0.5
    longest: float = 30.0
    tries: int = 8

    def pause(self, failures: int, wish: float | None = None) -> float | None:
        """Seconds to wait after `failures` in a row, no less than `wish`; None: there is no further try."""
        if failures >= self.tries:
            return None
        pause = min(self.longest, self.first * 2.0 ** (failures - 1))
        # Many whose line broke at once must not all come back at once.
        return max(pause * random.uniform(0.5, 1), min(wish or 0, LONGEST_WISH))


USUAL = Retries()
