"""Which of many like processes does what one of them should do."""

from typing import Protocol

SWEEP = "sweep"
"""Who leads under this name sweeps."""


class Leadership(Protocol):
    """- one leads at a time
    - another leads when the leader is gone, or stands still for ten seconds
    """

    def is_mine(self) -> bool:
        """Whether this process leads now; to be asked at least every few seconds. Raises `Unavailable`."""

    def resign(self) -> None:
        """Let another lead."""
