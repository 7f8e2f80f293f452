"""What every outside thing has in common."""

from typing import Protocol


class Engine(Protocol):
    def prepare(self) -> None:
        """Make what must exist before use (bucket, tables, weights). May be called again at any time.

        Raises `Misconfigured` when it never can, `Unavailable` when it cannot now.
        """

    def ping(self) -> None:
        """One real round trip. Raises `Unavailable` or `Misconfigured` with a sentence that says how to mend it."""

    def close(self) -> None:
        """Give back connections and memory. The engine is not used afterwards."""
